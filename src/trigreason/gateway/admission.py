"""Who may run, who waits, and who is turned away: bounded, and in equal shares between sources."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

FIRST_GUESS = 5.0
"""Seconds that a run is taken to last before any has ended."""
_WEIGHT = 0.1

SHARE = 4
"""A source may have so many times as many waiting as there are free places left in the queue.

One that is alone so gets four fifths of it, and whoever comes then finds room."""


class QueueFull(Exception):
    """Nobody else may wait. ``retry_after`` is a guess at when a place is free, in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no place for about {retry_after:.0f} s")
        self.retry_after = retry_after


@dataclass(eq=False, slots=True)
class _Waiting:
    count: int
    turn: asyncio.Future[None]


class Admission:
    """At most ``places`` runs at a time and ``queued`` that wait for one.

    A free place goes to the source (a key, or an address) that has the fewest; of equals, to the
    one that has waited longest since it last gave one back. So who sends many requests, or long
    ones, waits behind its own, and none fills the queue (see ``SHARE``). Within a source, first
    come is first served, and whose turn it is keeps it until there are as many places as it needs.
    """

    def __init__(self, places: int, queued: int) -> None:
        self.running = 0
        self.waiting = 0
        self._places = places
        self._queued = queued
        self._sources: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._usual_seconds = FIRST_GUESS

    @asynccontextmanager
    async def place(self, source: str, count: int = 1) -> AsyncIterator[None]:
        """Hold ``count`` places, at most as many as there are, waiting for them where need be.

        Raises:
            QueueFull: too many wait already, or too many of this source.
        """
        assert count <= self._places, "who needs more than there are would wait for ever"
        await self._enter(source, count)
        began = perf_counter()
        try:
            yield
        finally:
            self._usual_seconds += _WEIGHT * (perf_counter() - began - self._usual_seconds)
            self._give_back(source, count)
            self._call_up()

    async def _enter(self, source: str, count: int) -> None:
        if not self._sources and self.running + count <= self._places:
            self._take(source, count)
            return
        own_waiting = sum(each.count for each in self._sources.get(source, ()))
        free = self._queued - self.waiting
        if count > free or own_waiting + count > SHARE * free:
            raise QueueFull(self._usual_seconds * (1 + self.waiting / self._places))
        own = _Waiting(count, asyncio.get_running_loop().create_future())
        self._sources.setdefault(source, deque()).append(own)
        self.waiting += count
        self._call_up()
        try:
            await own.turn
        except asyncio.CancelledError:
            if own in self._sources.get(source, ()):
                self._leave(source, own)
            else:
                self._give_back(source, count)  # called up in the very moment of leaving
            self._call_up()
            raise

    def _take(self, source: str, count: int) -> None:
        self.running += count
        self._held[source] += count

    def _give_back(self, source: str, count: int) -> None:
        self.running -= count
        self._held[source] -= count
        if not self._held[source]:
            del self._held[source]
        if source in self._sources:
            self._sources.move_to_end(source)

    def _leave(self, source: str, own: _Waiting) -> None:
        waiting = self._sources[source]
        waiting.remove(own)
        self.waiting -= own.count
        if not waiting:
            del self._sources[source]

    def _call_up(self) -> None:
        """Give free places to those whose turn it is."""
        while self._sources:
            source = min(self._sources, key=self._held.__getitem__)
            first = self._sources[source][0]
            if self.running + first.count > self._places:
                return
            self._leave(source, first)
            self._take(source, first.count)
            if not first.turn.done():  # who is just leaving gives its places back itself
                first.turn.set_result(None)
