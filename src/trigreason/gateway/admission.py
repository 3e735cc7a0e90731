"""Admission control: a bounded number of runs, a bounded queue, fair shares between sources."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

FIRST_GUESS = 5.0
"""The assumed seconds of a run before any has ended."""
_WEIGHT = 0.1

SHARE = 4
"""A source may queue at most this many times as many runs as the queue has free places.

A single source so fills at most four fifths of the queue, and the next source finds room."""


class QueueFull(Exception):
    """The queue is full. ``retry_after`` estimates when a place is free (seconds)."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no place for about {retry_after:.0f} s")
        self.retry_after = retry_after


@dataclass(eq=False, slots=True)
class _Waiting:
    count: int
    turn: asyncio.Future[None]


class Admission:
    """At most ``places`` runs at a time, and at most ``queued`` waiting.

    A free place goes to the source (a key, or an address) that holds the fewest; of equals, to
    the one that released a place least recently. A source that sends many or long requests so
    delays only itself, and none fills the queue (see ``SHARE``). Within a source, requests are
    served in order, and the first in line waits until as many places are free as it needs.
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
        """Hold ``count`` places, waiting until they are free; ``count`` must not exceed ``places``.

        Raises:
            QueueFull: too many runs are waiting, in all or from this source.
        """
        assert count <= self._places, "more places than there are would never be free"
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
        own_waiting = sum(waiting.count for waiting in self._sources.get(source, ()))
        free = self._queued - self.waiting
        if count > free or own_waiting + count > SHARE * free:
            raise QueueFull(self._usual_seconds * (1 + self.waiting / self._places))
        entry = _Waiting(count, asyncio.get_running_loop().create_future())
        self._sources.setdefault(source, deque()).append(entry)
        self.waiting += count
        self._call_up()
        try:
            await entry.turn
        except asyncio.CancelledError:
            if entry in self._sources.get(source, ()):
                self._leave(source, entry)
            else:
                self._give_back(source, count)  # it was called up just before the cancellation
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

    def _leave(self, source: str, entry: _Waiting) -> None:
        waiting = self._sources[source]
        waiting.remove(entry)
        self.waiting -= entry.count
        if not waiting:
            del self._sources[source]

    def _call_up(self) -> None:
        """Give free places to the next in line."""
        while self._sources:
            source = min(self._sources, key=self._held.__getitem__)
            first = self._sources[source][0]
            if self.running + first.count > self._places:
                return
            self._leave(source, first)
            self._take(source, first.count)
            if not first.turn.done():  # a cancelled one gives its places back itself
                first.turn.set_result(None)
