"""Open pairs that several Inspect models share.

A comparison has one Inspect model per arm, all with the same pair, which should be opened once. A
pool belongs to the event loop of its connections. It is closed when the last model that leases it
gives it back, or at the end of the loop, since Inspect leaves models open.
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
    """How opening a pair went; after a ``failure`` it is not tried again.

    ``told`` is called when the pair is open.
    """

    told: Callable[[], None]
    failure: Exception | None = None


_followed: Opening | None = None
"""The running comparison's opening; no context variable, as pools open in an empty context."""


@contextmanager
def followed(told: Callable[[], None]) -> Iterator[Opening]:
    """Follow the opening of a comparison's pair inside this block."""
    global _followed
    opening = _followed = Opening(told)
    try:
        yield opening
    finally:
        _followed = None


class Pool:
    """One pair, opened at the first request; ``leases`` counts the models that may still use it."""

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
                except inside :func:`followed`.
        """
        if _followed is not None and _followed.failure is not None:
            raise _followed.failure
        if self._opened is None:
            loop = asyncio.get_running_loop()
            self._opened = loop.create_future()
            # in an empty context: the task outlives the sample that happens to come first
            self._keeper = loop.create_task(self._keep(self._opened), context=Context())
        return await asyncio.shield(self._opened)

    async def _keep(self, opened: Future[Lanes]) -> None:
        """Hold the pair open until this task is cancelled, as every loop does at its end."""
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
            # both refer to the loop and would keep it alive, a weak key of _POOLS
            self._opened = self._keeper = None

    async def close(self) -> None:
        """Close the pair if it was opened."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])


_POOLS: WeakKeyDictionary[AbstractEventLoop, dict[tuple[str, int | None], Pool]] = (
    WeakKeyDictionary()
)


class Lease:
    """A model's claim on its pair's pool, in each event loop that uses the model."""

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
        """End the claim in this event loop; :meth:`lanes` makes a new one."""
        loop = asyncio.get_running_loop()
        pool = self._pools.pop(loop, None)
        if pool is None:
            return
        pool.leases -= 1
        if not pool.leases:
            del _POOLS[loop][self._key]
            await pool.close()
