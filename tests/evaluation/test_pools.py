"""Open pairs are shared by the models of a comparison, and closed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from trigreason.configuration import PlannedPair, bundled_pair
from trigreason.engines.base import EngineUnreachable
from trigreason.evaluation import pools
from trigreason.evaluation.lanes import Lanes

pytestmark = pytest.mark.slow


class Opened:
    """A double of ``opened_lanes`` that counts instead of opening anything."""

    def __init__(self) -> None:
        self.times = 0
        self.open = 0
        self.failing = False

    @asynccontextmanager
    async def __call__(self, plan: PlannedPair, connections: int | None) -> AsyncIterator[Lanes]:
        await asyncio.sleep(0)
        if self.failing:
            raise EngineUnreachable("nobody answers", "http://localhost:1", "Start it.")
        self.times += 1
        self.open += 1
        try:
            yield object.__new__(Lanes)
        finally:
            await asyncio.sleep(0)
            self.open -= 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    double = Opened()
    monkeypatch.setattr(pools, "opened_lanes", double)
    yield double
    assert double.open == 0


def lease(connections: int | None = None) -> pools.Lease:
    return pools.Lease(bundled_pair(), connections)


async def test_arms_of_a_pair_share_it_until_the_last_is_closed(opened: Opened) -> None:
    one, other, apart = lease(), lease(), lease(connections=3)
    first, second = await asyncio.gather(one.lanes(), other.lanes())
    assert first is second is await one.lanes()
    assert await apart.lanes() is not first
    assert (opened.times, opened.open) == (2, 2)
    await one.give_back()
    await one.give_back()
    assert await other.lanes() is first
    assert opened.open == 2
    await other.give_back()
    assert opened.open == 1
    assert await other.lanes() is not first
    await other.give_back()
    await apart.give_back()


def test_a_pair_is_closed_with_its_event_loop(opened: Opened) -> None:
    shared = lease()
    for turn in range(2):
        asyncio.run(_used(shared))
        assert (opened.times, opened.open) == (turn + 1, 0)


async def _used(shared: pools.Lease) -> None:
    await shared.lanes()


async def test_whoever_waits_is_told_why_a_pair_cannot_be_opened(opened: Opened) -> None:
    one, other = lease(), lease()
    opened.failing = True
    told = await asyncio.gather(one.lanes(), other.lanes(), return_exceptions=True)
    assert all(isinstance(each, EngineUnreachable) for each in told)
    opened.failing = False
    await one.lanes()
    await one.give_back()
    await other.give_back()
    assert opened.times == 1


async def test_a_pair_that_cannot_be_opened_is_not_tried_again_where_that_is_followed(
    opened: Opened,
) -> None:
    opened.failing = True
    told: list[str] = []
    with pools.followed(lambda: told.append("open")) as opening:
        first, second = lease(), lease()
        with pytest.raises(EngineUnreachable):
            await first.lanes()
        opened.failing = False
        with pytest.raises(EngineUnreachable):
            await second.lanes()
        assert isinstance(opening.failure, EngineUnreachable)
    assert (told, opened.times) == ([], 0)
    with pools.followed(lambda: told.append("open")):
        await first.lanes()
        await second.lanes()
    assert (told, opened.times) == (["open"], 1)
    await first.give_back()
    await second.give_back()
