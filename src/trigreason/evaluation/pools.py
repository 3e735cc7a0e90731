"""Open pairs that several Inspect models share.

A comparison has one model per arm, all of them on the same pair, which is to be opened once. A
pool belongs to the event loop that its connections live in, and it is closed when the last model
that leased it gives it back, or with the loop: Inspect itself leaves models open.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from trigreason.configuration import PlannedPair
from trigreason.evaluation.lanes import Lanes, opened_lanes


@dataclass(slots=True)
class Opening:
    """What becomes of opening a pair; a failure is kept, and it is not tried again.

    ``told`` is called once the pair is open.
    """

    told: Callable[[], None]
    failure: Exception | None = None


_followed: Opening | None = None
"""Of the comparison that runs; a pool is opened in a context of its own, so this is none's."""


@contextmanager
def followed(told: Callable[[], None]) -> Iterator[Opening]:
    """Follow how the pair of a comparison is opened meanwhile."""
    global _followed
    opening = _followed = Opening(told)
    try:
        yield opening
    finally:
        _followed = None


class Pool:
    """One pair, opened by the first who asks for it; ``leases`` counts who may still ask."""

    def __init__(self, plan: PlannedPair, connections: int | None) -> None:
        self._plan = plan
        self._connections = connections
        self._opened: Future[Lanes] | None = None
        self._keeper: Task[None] | None = None
        self.leases = 0

    async def lanes(self) -> Lanes:
        """The pair, open.

        Raises:
            EngineError, ConfigurationError: see ``opened_lanes``; the next call tries again,
                unless the opening is followed.
        """
        if _followed is not None and _followed.failure is not None:
            raise _followed.failure
        if self._opened is None:
            loop = asyncio.get_running_loop()
            self._opened = loop.create_future()
            # in a context of its own: it outlives the sample that happens to come first
            self._keeper = loop.create_task(self._keep(self._opened), context=Context())
        return await asyncio.shield(self._opened)

    async def _keep(self, opened: Future[Lanes]) -> None:
        """Hold the pair open until this task is cancelled, which a loop does at its end."""
        try:
            async with opened_lanes(self._plan, self._connections) as lanes:
                if _followed is not None:
                    _followed.told()
                opened.set_result(lanes)
                await asyncio.Event().wait()
        except Exception as error:
            if opened.done():
                raise
            if _followed is not None:
                _followed.failure = error
            opened.set_exception(error)
        finally:
            opened.cancel()
            # both refer to the loop, which nobody else may hold any more
            self._opened = self._keeper = None

    async def close(self) -> None:
        """Close the pair, unless it was never opened."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])


_POOLS: WeakKeyDictionary[AbstractEventLoop, dict[tuple[str, int | None], Pool]] = (
    WeakKeyDictionary()
)


class Lease:
    """A model's claim on the pool of its pair in each event loop that it is used in."""

    def __init__(self, plan: PlannedPair, connections: int | None) -> None:
        self._plan = plan
        self._key = (repr(plan), connections)
        self._pools: WeakKeyDictionary[AbstractEventLoop, Pool] = WeakKeyDictionary()

    async def lanes(self) -> Lanes:
        """The pair, open; see :meth:`Pool.lanes`."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pools = _POOLS.setdefault(loop, {})
            pool = pools.setdefault(self._key, Pool(self._plan, self._key[1]))
            pool.leases += 1
            self._pools[loop] = pool
        return await pool.lanes()

    async def give_back(self) -> None:
        """Ask for nothing more in this event loop, until :meth:`lanes` is called again."""
        loop = asyncio.get_running_loop()
        pool = self._pools.pop(loop, None)
        if pool is None:
            return
        pool.leases -= 1
        if not pool.leases:
            del _POOLS[loop][self._key]
            await pool.close()
