"""A turn: what one author is asked for, over as many requests as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Protocol, Self

from trigreason.engines.base import EngineError, Finish
from trigreason.failure import FailurePolicy
from trigreason.reasoning import Author, Purpose, Token
from trigreason.running.errands import Errand, Whence
from trigreason.running.patience import Patience
from trigreason.running.requests import Requests


class Arrivals(Protocol):
    """A running request, as ``Request`` describes it."""

    used: int

    @property
    def index(self) -> int: ...

    @property
    def finish(self) -> Finish | None: ...

    async def arrival(self) -> Sequence[Token]: ...

    def settle(self) -> None: ...


Running = AbstractAsyncContextManager[Arrivals]


class ModelAway(Exception):
    """A model failed, and trying again did not help, or could not."""

    def __init__(self, author: Author, error: EngineError) -> None:
        super().__init__(str(error))
        self.author = author
        self.error = error


@dataclass(frozen=True, slots=True)
class Writing:
    """What a turn has to know of the text that it is for.

    ``whence`` says from where the next request goes on. ``take_back`` drops half a character from
    the end of the text, and half a tag as well where somebody else is to go on; it says how many
    tokens went with that.
    """

    whence: Callable[[], Whence]
    take_back: Callable[[bool], int] = lambda _: 0


class Turn:
    """Arrivals that outlive failures: after one that may pass, a new request goes on.

    ``early`` is a request that is already running and serves as the first; if it could not even
    be sent, that counts for nothing.
    """

    def __init__(
        self,
        requests: Requests,
        errand: Errand,
        writing: Writing,
        policy: FailurePolicy,
        early: Running | None = None,
    ) -> None:
        self.errand = errand
        self.index = -1
        self.finish: Finish | None = None
        self._requests = requests
        self._writing = writing
        self._early = early
        self._patience = Patience(policy, requests.deadline)
        self._stack = AsyncExitStack()
        self._brought_text = False
        self._request: Arrivals | None = None
        self._last: Arrivals | None = None

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
            if not tokens:
                self.finish = request.finish
            self._brought_text |= any(token.text for token in tokens)
            return tokens

    def use(self, tokens: int = 1) -> None:
        """So many of the arrived tokens went into a step, a score or the answer."""
        assert self._request is not None, "tokens come from a request"
        self._request.used += tokens

    async def go_on_with(self, errand: Errand) -> None:
        """Ask another way from now on, from where the writing is."""
        await self._close()
        self.errand = errand

    async def _open(self) -> Arrivals:
        request = await self._take_over()
        if request is None:
            opening = self._requests.open(self.errand, self._writing.whence())
            request = await self._stack.enter_async_context(opening)
        self._request = self._last = request
        self.index = request.index
        return request

    async def _take_over(self) -> Arrivals | None:
        early, self._early = self._early, None
        if early is None:
            return None
        try:
            return await self._stack.enter_async_context(early)
        except EngineError:
            return None

    async def _recover(self, error: EngineError) -> None:
        if self._request is not None:
            self._take_back(tags=False)
            is_kept = self._request.used > 0 and self.errand.purpose is not Purpose.JUDGE
            if is_kept and self._brought_text:
                self._patience.rewarded()
            self._brought_text = False
        is_lost = self._patience.is_over(error)
        await self._close()
        if is_lost:
            self._take_back(tags=True)
            raise ModelAway(self.errand.author, error) from error
        await self._patience.wait(error)

    def _take_back(self, *, tags: bool) -> None:
        """Shorten the text to where it can be gone on from, on the last request's account."""
        dropped = self._writing.take_back(tags)
        if dropped and self._last is not None:
            self._last.used -= dropped
            self._last.settle()

    async def _close(self) -> None:
        self._request = None
        await self._stack.aclose()
