"""A turn: what one author is asked for, over as many requests as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self

from trigreason.engines.base import EngineError, Finish
from trigreason.failure import FailurePolicy
from trigreason.patience import Patience
from trigreason.reasoning import Author, Token
from trigreason.requests import Errand, Requests, Whence


class Running(Protocol):
    """A running request, as ``Request`` describes it."""

    used: int

    @property
    def index(self) -> int: ...

    @property
    def arrived(self) -> int: ...

    @property
    def finish(self) -> Finish | None: ...

    async def arrival(self) -> Sequence[Token]: ...


Opening = AbstractAsyncContextManager[Running]


class ModelAway(Exception):
    """A model failed, and trying again did not help, or could not."""

    def __init__(self, author: Author, error: EngineError) -> None:
        super().__init__(str(error))
        self.author = author
        self.error = error


class Turn:
    """Arrivals that outlive failures: after one that may pass, a new request goes on.

    ``whence`` says from where: it is asked before every request. ``take_back`` is called after a
    failure; it drops what cannot be gone on from (half a character) and says how many tokens that
    were. ``opened`` is a request that is already running and serves as the first.
    """

    def __init__(
        self,
        requests: Requests,
        errand: Errand,
        whence: Callable[[], Whence],
        policy: FailurePolicy,
        *,
        take_back: Callable[[], int] = lambda: 0,
        opened: Opening | None = None,
    ) -> None:
        self.errand = errand
        self.index = -1
        self.finish: Finish | None = None
        self._requests = requests
        self._whence = whence
        self._take_back = take_back
        self._opened = opened
        self._patience = Patience(policy, requests.clock)
        self._opening: Opening | None = None
        self._request: Running | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def arrival(self) -> Sequence[Token]:
        """The next tokens; none once the server has ended the stream, and ``finish`` says why.

        Raises:
            ModelAway: the model failed for good.
            DeadlinePassed: the run's seconds are spent.
        """
        while True:
            try:
                request = self._request or await self._open()
                tokens = await request.arrival()
            except EngineError as error:
                await self._recover(error)
                continue
            if tokens:
                self._patience.rewarded()
            else:
                self.finish = request.finish
            return tokens

    @property
    def arrived(self) -> int:
        """Tokens that the request under way has brought."""
        return self._request.arrived if self._request else 0

    def use(self, tokens: int = 1) -> None:
        """So many of the arrived tokens went into a step, a score or the answer."""
        assert self._request is not None, "tokens come from a request"
        self._request.used += tokens

    async def go_on_with(self, errand: Errand) -> None:
        """Ask another way from now on, from where the writing is."""
        await self._close()
        self.errand = errand

    async def _open(self) -> Running:
        opening = self._opened or self._requests.open(self.errand, self._whence())
        self._opened = None
        self._request = await opening.__aenter__()
        self._opening = opening
        self.index = self._request.index
        return self._request

    async def _recover(self, error: EngineError) -> None:
        if self._request is not None:
            self._request.used -= self._take_back()
        await self._close()
        if not await self._patience.wait(error):
            raise ModelAway(self.errand.author, error) from error

    async def _close(self) -> None:
        opening, self._opening, self._request = self._opening, None, None
        if opening is not None:
            await opening.__aexit__(None, None, None)
