"""A run's deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


class DeadlinePassed(Exception):
    """The run's seconds are spent."""


class Clock:
    """``deadline`` is a time of the running event loop, in seconds; None for none."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline

    @classmethod
    def started(cls, seconds: float | None) -> Clock:
        """A clock that runs out in so many seconds."""
        return cls(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def check(self) -> None:
        """Raise DeadlinePassed once it is: a stream never waited for meets no timeout."""
        if self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline:
            raise DeadlinePassed

    async def in_time(self, awaited: Awaitable[_Result]) -> _Result:
        """What is awaited, or DeadlinePassed when that takes too long."""
        if self.deadline is None:
            return await awaited
        try:
            async with asyncio.timeout_at(self.deadline) as timeout:
                return await awaited
        except TimeoutError as error:
            if timeout.expired():
                raise DeadlinePassed from error
            raise
