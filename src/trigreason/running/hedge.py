"""A request that is read before it is its author's turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Self

from trigreason.engines.base import EngineUnreachable, Finish, Request
from trigreason.reasoning import Purpose, StepCutter, Token
from trigreason.running.requests import RunningRequest


class Hedge:
    """An LRM step begun early; it is entered when the LRM's turn comes.

    It reads only to the end of the step, unless the step closes the thinking. Once entered, it is
    used like a ``RunningRequest``.
    """

    def __init__(
        self, opening: AbstractAsyncContextManager[RunningRequest], cutter: StepCutter
    ) -> None:
        self._queue: asyncio.Queue[RunningRequest | Sequence[Token] | Exception] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(opening, cutter))

    async def __aenter__(self) -> Self:
        try:
            first = await self._queue.get()
            if isinstance(first, Exception):
                raise first
        except BaseException:
            await self.drop()
            raise
        assert isinstance(first, RunningRequest), "a request comes before its tokens"
        self._running = first
        self._running.purpose = Purpose.WRITE
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()
        self.settle()

    @property
    def request(self) -> Request:
        return self._running.request

    @property
    def index(self) -> int:
        return self._running.index

    @property
    def finish(self) -> Finish | None:
        return self._running.finish

    @property
    def used(self) -> int:
        return self._running.used

    @used.setter
    def used(self, tokens: int) -> None:
        self._running.used = tokens

    async def arrival(self) -> Sequence[Token]:
        """As ``RunningRequest.arrival``; tokens that came before the turn are there at once."""
        arrived = await self._queue.get()
        if isinstance(arrived, Exception):
            raise arrived
        assert not isinstance(arrived, RunningRequest), "the request comes once"
        return arrived

    def settle(self) -> None:
        """Complete the entry in the trace again: only now it is known how much was used."""
        self._running.settle()

    async def drop(self) -> None:
        """Close the request."""
        await asyncio.wait([self.ending()])

    def ending(self) -> asyncio.Task[None]:
        """The task that closes the request; await it."""
        self._reading.cancel()
        return self._reading

    async def _read(
        self, opening: AbstractAsyncContextManager[RunningRequest], cutter: StepCutter
    ) -> None:
        try:
            async with opening as request:
                self._queue.put_nowait(request)
                while tokens := await request.arrival():
                    self._queue.put_nowait(tokens)
                    if _ends_a_step(cutter, tokens):
                        raise EngineUnreachable(
                            "no more than a step was begun early", "the hedge", "Ask for more."
                        )
                self._queue.put_nowait(())
        except Exception as failure:  # of any kind: the reader handles it
            self._queue.put_nowait(failure)


def _ends_a_step(cutter: StepCutter, tokens: Sequence[Token]) -> bool:
    """Whether a step has ended with these tokens, and the thinking has not."""
    return any(not cutter.closed and cutter.push(token) for token in tokens) and not cutter.closed
