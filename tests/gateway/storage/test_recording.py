"""Records on their way into the database, through outages and damage."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
from pathlib import Path
from time import perf_counter

import pytest

from tests.conftest import soon
from tests.gateway.postgresql import Server, postgresql
from tests.gateway.storage.books import (
    WORST,
    journals,
    key_with,
    record,
    recorded,
    rows,
    settled,
)
from trigreason.gateway.storage import DatabaseAway, Storage, recorder
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.journal import Journal
from trigreason.gateway.storage.place import located
from trigreason.gateway.storage.tables import RECORDS


async def test_a_record_is_kept_as_it_was(storage: Storage, place: str) -> None:
    key = await key_with(storage)
    one = record("x", key=key.id, usd=0.123456789, error="EngineUnreachable", degraded=True)
    storage.enter(one)
    await settled(storage)
    (row,) = rows(place, RECORDS)
    told = dict(row)
    assert told.pop("nano_usd") == 123456789
    expected = one.to_json()
    assert all(expected[name] == value for name, value in told.items())
    assert set(expected) - set(told) == {"usd", "traces"}


async def test_closing_loses_nothing(place: str) -> None:
    storage = await Storage.open(place, traces_days=7)
    for index in range(1000):
        storage.enter(record(f"x{index}"))
    await storage.close()
    assert len(recorded(place)) == 1000
    assert not journals(place)


async def test_entering_takes_no_time(storage: Storage) -> None:
    began = perf_counter()
    for index in range(1000):
        storage.enter(record(f"x{index}"))
    assert (perf_counter() - began) / 1000 < 0.001


async def test_a_record_counts_once_however_often_it_comes(place: str) -> None:
    storage = await Storage.open(place, traces_days=7)
    key = await key_with(storage)
    for _ in range(3):
        storage.enter(record("x", key=key.id))
        storage.enter(record("x", key=key.id))
        await settled(storage)
    (row,) = await storage.keys()
    assert (row.requests, row.usd) == (1, 0.01)
    await storage.close()


async def test_damaged_lines_do_not_stop_the_others(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = located(place, os.environ).journals
    folder.mkdir(parents=True)
    unknown_key = record("of nobody", key="0123456789").to_line()
    too_large = record("large", answer_tokens=2**80).to_line()
    lines = [
        record("one").to_line(),
        b"\xff\xfe not JSON\n",
        b'{"id": "no record"}\n',
        b"\n",
        b"[1, 2]\n",
        record("two").to_line(),
        unknown_key,
        too_large,
        record("three").to_line(),
        record("torn").to_line()[:-20],
    ]
    (folder / "1-dead.jsonl").write_bytes(b"".join(lines))
    storage = await Storage.open(place, traces_days=7)
    await storage.close()
    assert recorded(place) == {"one", "two", "three"}
    assert not journals(place)
    kept = (folder / "unusable.txt").read_bytes().splitlines(keepends=True)
    assert kept == [lines[1], lines[2], lines[4], unknown_key, too_large]
    assert caplog.text.count("a record cannot be kept") == 5


async def test_a_full_disk_loses_nothing_while_the_process_lives(
    storage: Storage, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal, line: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", full)
        for index in range(10):
            storage.enter(record(f"x{index}"))
    storage.enter(record("after"))
    await settled(storage)
    assert recorded(place) == {"after", *(f"x{index}" for index in range(10))}


async def test_a_failing_database_is_tried_again_and_told_of_once(
    place: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "LONGEST_PATIENCE_SECONDS", 0.02)
    caplog.set_level(logging.INFO, "trigreason.gateway")
    storage = await Storage.open(place, traces_days=7)
    await settled(storage)
    tries: list[str] = []

    def fails(*_: object, **__: object) -> None:
        tries.append("one more")
        raise DatabaseAway("no database today")

    for outage in range(2):
        tries.clear()
        with monkeypatch.context() as patched:
            patched.setattr(Database, "transact", fails)
            storage.enter(record(f"x{outage}"))
            assert await soon(lambda: len(tries) > 5)
        await settled(storage)
    assert recorded(place) == {"x0", "x1"}
    warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert [" ".join(each.split()[:2]) for each in warnings] == ["records wait", "the database"] * 2
    await storage.close()


async def test_what_cannot_be_stored_at_the_end_is_there_at_the_next_start(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = await Storage.open(place, traces_days=7)

    def fails(*_: object, **__: object) -> None:
        raise DatabaseAway("no database today")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "transact", fails)
        storage.enter(record("x"))
        began = perf_counter()
        await storage.close()
        assert perf_counter() - began < 5
    (left,) = journals(place)
    assert json.loads(left.read_text())["id"] == "x"
    again = await Storage.open(place, traces_days=7)
    await again.close()
    assert recorded(place) == {"x"}


@pytest.mark.slow
class TestPostgresqlAway:
    """A server of its own, which is stopped and started."""

    async def test_records_wait_and_requests_do_not(
        self, state: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with postgresql() as server:
            await self._through_an_outage(server, caplog)

    async def _through_an_outage(self, server: Server, caplog: pytest.LogCaptureFixture) -> None:
        storage = await Storage.open(server.url(), traces_days=7)
        free = await storage.create_key("free")
        limited = await key_with(storage, "limited", requests_per_minute=100)
        assert await storage.authenticate(free.text)
        storage.enter(record("before"))
        await settled(storage)
        await asyncio.to_thread(server.stop)
        try:
            began = perf_counter()
            for index in range(50):
                storage.enter(record(f"x{index}"))
                key = await storage.authenticate(free.text)
                assert key is not None
                await storage.admit(key, f"x{index}", WORST)
                with pytest.raises(DatabaseAway):
                    await storage.admit(limited, f"y{index}", WORST)
                await asyncio.sleep(0.02)
            assert perf_counter() - began < 3
        finally:
            await asyncio.to_thread(server.start)
        storage.enter(record("after"))
        await settled(storage)
        await storage.admit(limited, "y", WORST)
        await storage.close()
        expected = {"before", "after", *(f"x{index}" for index in range(50))}
        assert recorded(server.url()) == expected
        assert caplog.text.count("records wait in") == 1
        assert caplog.text.count("the database is back") == 1
