"""A stream that survives failures: one text, over as many requests as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol, Self

from trigreason.engines.base import EngineError, Finish, Request
from trigreason.reasoning import Author, Purpose, Stretch, Token
from trigreason.running.asking import Continuation
from trigreason.running.backoff import Backoff
from trigreason.running.requests import Requests


class Arrivals(Protocol):
    """A running request: a :class:`~trigreason.running.requests.RunningRequest` or a hedge."""

    used: int

    @property
    def request(self) -> Request: ...

    @property
    def index(self) -> int: ...

    @property
    def finish(self) -> Finish | None: ...

    async def arrival(self) -> Sequence[Token]: ...

    def settle(self) -> None: ...


Running = AbstractAsyncContextManager[Arrivals]


class ModelAway(Exception):
    """A model failed, and retries did not help or were pointless."""

    def __init__(self, author: Author, error: EngineError) -> None:
        super().__init__(str(error))
        self.author = author
        self.error = error


class ScorerAway(Exception):
    """The scorer failed, and retries did not help or were pointless."""

    def __init__(self, error: EngineError) -> None:
        super().__init__(str(error))
        self.error = error


class RetryingStream:
    """One stream of tokens; after a transient failure, a new request continues the text.

    Each request is entered into the trace as ``entry``. ``early`` is a request that is already
    running and serves as the first; if it could not be sent, that does not count as an attempt.
    """

    def __init__(
        self,
        requests: Requests,
        entry: Stretch,
        continuation: Continuation,
        early: Running | None = None,
    ) -> None:
        self.index = -1
        self.finish: Finish | None = None
        self._requests = requests
        self._entry = entry
        self._continuation = continuation
        self._early = early
        self._backoff = Backoff(requests.pair.failure, requests.deadline)
        self._stack = AsyncExitStack()
        self._brought_text = False
        self._running: Arrivals | None = None
        self._last: Arrivals | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def arrival(self) -> Sequence[Token]:
        """The next tokens; none once the server has ended the stream (``finish`` says why).

        Raises:
            ModelAway: the model failed for good.
            DeadlinePassed: the run's seconds are spent.
        """
        while True:
            try:
                request = self._running or await self._open()
                tokens = await request.arrival()
            except EngineError as error:
                await self._recover(error)
                continue
            if not tokens:
                self.finish = request.finish
            self._brought_text |= any(token.text for token in tokens)
            return tokens

    def use(self, tokens: int = 1) -> None:
        """Count ``tokens`` arrived tokens as used in a step, a score or the answer."""
        assert self._running is not None, "tokens come from a request"
        self._running.used += tokens

    @property
    def request(self) -> Request:
        """The last request that was sent."""
        assert self._last is not None, "a request has been sent"
        return self._last.request

    async def go_on_with(self, continuation: Continuation) -> None:
        """Close the request and continue the text by ``continuation`` from now on."""
        await self._close()
        self._continuation = continuation

    async def _open(self) -> Arrivals:
        request = await self._take_over()
        if request is None:
            opening = self._requests.open(self._entry, self._continuation.next_request())
            request = await self._stack.enter_async_context(opening)
        self._running = self._last = request
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
        if self._running is not None:
            self._take_back(tags=False)
            is_kept = self._running.used > 0 and self._entry.purpose is not Purpose.JUDGE
            if is_kept and self._brought_text:
                self._backoff.rewarded()
            self._brought_text = False
        is_lost = self._backoff.is_over(error)
        await self._close()
        if is_lost:
            self._take_back(tags=True)
            raise ModelAway(self._entry.author, error) from error
        await self._backoff.wait(error)

    def _take_back(self, *, tags: bool) -> None:
        """Drop the end that cannot be continued; the last request has used those tokens less."""
        dropped = self._continuation.take_back(tags)
        if dropped and self._last is not None:
            self._last.used -= dropped
            self._last.settle()

    async def _close(self) -> None:
        self._running = None
        await self._stack.aclose()
