"""A virtual clock: waiting takes no time, and everything happens in the order of its moments."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from trigreason.studies.simulation.clock import run_on_virtual_clock


async def _moments() -> list[tuple[str, float]]:
    clock = asyncio.get_running_loop()
    told: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((name, clock.time()))

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("a day", 86_400.0), ("an hour", 3_600.0), ("nothing", 0.0)):
            group.create_task(wait(name, seconds))
    return told


def test_a_day_is_over_at_once() -> None:
    began = perf_counter()
    told = run_on_virtual_clock(_moments())
    assert told == [("nothing", 0), ("an hour", 3_600), ("a day", 86_400)]
    assert perf_counter() - began < 5


async def test_it_runs_beside_another_event_loop() -> None:
    assert dict(run_on_virtual_clock(_moments()))["a day"] == 86_400


def test_a_timeout_fires_at_its_moment() -> None:
    async def late() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_on_virtual_clock(late()) == 30


def test_waiting_for_ever_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="will never come"):
        run_on_virtual_clock(asyncio.Event().wait())
