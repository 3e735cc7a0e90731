"""The time by which a run must end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


class DeadlinePassed(Exception):
    """The run's seconds are spent."""


def now() -> float:
    """Seconds on the clock of the running event loop, which may be a virtual one."""
    return asyncio.get_running_loop().time()


class Deadline:
    """``at`` is a time of the running event loop, in seconds; None for none."""

    def __init__(self, at: float | None = None) -> None:
        self.at = at

    @classmethod
    def within(cls, seconds: float | None) -> Deadline:
        """A deadline ``seconds`` from now; none for None."""
        return cls(None if seconds is None else now() + seconds)

    def check(self) -> None:
        """Raise DeadlinePassed if time is up: a stream that is always ready meets no timeout."""
        if self.at is not None and now() >= self.at:
            raise DeadlinePassed

    async def keep(self, awaited: Awaitable[_Result]) -> _Result:
        """The result of ``awaited``; raises DeadlinePassed when that takes too long."""
        if self.at is None:
            return await awaited
        try:
            async with asyncio.timeout_at(self.at) as timeout:
                return await awaited
        except TimeoutError as error:
            if timeout.expired():
                raise DeadlinePassed from error
            raise
