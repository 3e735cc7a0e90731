"""A request that is read before anyone has the turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from trigreason.clock import DeadlinePassed
from trigreason.engines.base import EngineError, Finish
from trigreason.reasoning import Purpose, Token
from trigreason.requests import Request
from trigreason.turn import Opening


class Hedge:
    """A request that is read before anyone has the turn; entering it takes the turn.

    Inside, it is to its reader what a ``Request`` is.
    """

    def __init__(self, opening: Opening) -> None:
        self.arrived = 0
        self._told: asyncio.Queue[Request | Sequence[Token] | Exception] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(opening))

    async def __aenter__(self) -> Self:
        first = await self._told.get()
        if isinstance(first, Exception):
            await self.drop()
            raise first
        assert isinstance(first, Request), "a request comes before its tokens"
        self._request = first
        self._request.purpose = Purpose.WRITE
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()

    @property
    def index(self) -> int:
        return self._request.index

    @property
    def finish(self) -> Finish | None:
        return self._request.finish

    @property
    def used(self) -> int:
        return self._request.used

    @used.setter
    def used(self, tokens: int) -> None:
        self._request.used = tokens

    async def arrival(self) -> Sequence[Token]:
        """As ``Request.arrival``; what came while nobody had the turn comes at once."""
        told = await self._told.get()
        if isinstance(told, Exception):
            raise told
        assert not isinstance(told, Request), "a request is told of once"
        self.arrived += len(told)
        return told

    async def drop(self) -> None:
        """Close the request and complete its entry in the trace."""
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read(self, opening: Opening) -> None:
        try:
            async with opening as request:
                assert isinstance(request, Request), "a hedge reads a request of its own"
                self._told.put_nowait(request)
                await self._listen(request)
                await asyncio.Event().wait()  # the reader still has to say what it used
        except (EngineError, DeadlinePassed) as failure:
            self._told.put_nowait(failure)

    async def _listen(self, request: Request) -> None:
        try:
            while tokens := await request.arrival():
                self._told.put_nowait(tokens)
            self._told.put_nowait(())
        except (EngineError, DeadlinePassed) as failure:
            self._told.put_nowait(failure)
