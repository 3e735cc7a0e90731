"""Several processes on one database: one budget together, and nothing lost when one is killed."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.gateway.storage.books import (
    WORST,
    is_admitted,
    journals,
    key_with,
    record,
    recorded,
    rows,
    settled,
)
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage import Storage
from trigreason.gateway.storage.tables import TRACES

pytestmark = pytest.mark.slow


async def started(*arguments: str) -> Process:
    module = "tests.gateway.storage.processes"
    root = Path(__file__).parents[3]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, cwd=root
    )


async def line(process: Process) -> str:
    assert process.stdout
    told = await asyncio.wait_for(process.stdout.readline(), timeout=90)
    return told.decode().strip()


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (KeyLimits(requests_per_minute=20), 20),
        (KeyLimits(usd_per_day=0.2), 20),
        (KeyLimits(tokens_per_minute=2000), 20),
        (KeyLimits(requests_per_minute=15, usd_per_month=0.2), 15),
    ],
)
async def test_one_budget_together(
    storage: Storage, place: str, limits: KeyLimits, most: int
) -> None:
    made = await storage.create_key("shared", limits=limits)
    both = [await started("admit", place, made.text, "50", "0.01") for _ in range(2)]
    for each in both:
        assert await line(each) == "ready"
    for each in both:
        assert each.stdin
        each.stdin.write(b"go\n")
    through = [int(await line(each)) for each in both]
    for each in both:
        assert await each.wait() == 0
    assert sum(through) == most


async def test_a_spent_budget_is_kept_by_both(storage: Storage, place: str) -> None:
    """20 exchanges of the usual cost, run one after the other by two gateways."""
    key = await key_with(storage, usd_per_day=0.2)
    other = await Storage.open(place, traces_days=7)
    through = 0
    for index in range(30):
        each = (storage, other)[index % 2]
        if not await is_admitted(each, key, f"x{index}", WORST):
            continue
        through += 1
        each.enter(record(f"x{index}", key=key.id))
        await settled(each)
    await other.close()
    assert through == 20


async def test_what_a_killed_process_entered_is_kept(place: str) -> None:
    entered: list[str] = []
    for seconds in (0.1, 0.5, 1.0):
        process = await started("enter", place)
        entered.append(await line(process))
        await asyncio.sleep(seconds)
        process.kill()
        assert process.stdout
        entered += (await process.stdout.read()).decode().splitlines()
        await process.wait()
    if entered[-1].count(" ") != 1:
        entered.pop()  # cut off in the middle of a line
    assert len(entered) > 100
    storage = await Storage.open(place, traces_days=7)
    await storage.close()
    missing = set(entered) - recorded(place)
    assert not missing
    assert {f"trace {each}" for each in entered} <= {row["id"] for row in rows(place, TRACES)}
    assert not journals(place)


async def test_the_journal_of_a_living_process_is_left_alone(storage: Storage, place: str) -> None:
    process = await started("enter", place)
    await line(process)
    theirs = len(journals(place))
    other = await Storage.open(place, traces_days=7)
    await other.close()
    assert len(journals(place)) == theirs == 2
    process.kill()
    await process.wait()
    again = await Storage.open(place, traces_days=7)
    await again.close()
    assert len(journals(place)) == 1


async def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite tells nobody that the database is locked."""
    place = str(tmp_path / "gateway.db")
    storages = [await Storage.open(place, traces_days=7) for _ in range(4)]
    began = time.perf_counter()
    for index in range(400):
        storages[index % 4].enter(record(f"x{index}"))
        await asyncio.sleep(0.001)
    keys = [await key_with(each, f"key {n}") for n, each in enumerate(storages)]
    await asyncio.gather(*(each.close() for each in storages))
    assert len(recorded(place)) == 400
    assert len(keys) == 4
    assert time.perf_counter() - began < 20
