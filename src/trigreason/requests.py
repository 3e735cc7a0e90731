"""The requests of one run: sent, timed, counted and entered into the trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

from trigreason.clock import Clock
from trigreason.engines.base import (
    Engine,
    EngineError,
    EngineResting,
    Finish,
    LogprobScale,
    Prefix,
    Sampling,
    TokenStream,
)
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Purpose, Stretch, Token, Trace, Trigger
from trigreason.rescale import Rescale


class Whence(NamedTuple):
    """From where a request goes on, and how many tokens it may bring."""

    prefix: Prefix
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is asked of a model, over however many requests that takes."""

    author: Author
    purpose: Purpose
    sampling: Sampling
    trigger: Trigger | None = None
    alternatives: int = 0
    needs_logprobs: bool = False
    one_step: bool = False


class Request:
    """A request, ``index`` in the trace's stretches; ``arrival`` once :meth:`begin` was called.

    ``used`` is the caller's count of the tokens that went into a step, a score or the answer.
    """

    def __init__(self, index: int, purpose: Purpose, rescale: Rescale, clock: Clock) -> None:
        self.index = index
        self.purpose = purpose
        self.rescale = rescale
        self.used = 0
        self.arrived = 0
        self.failure: EngineError | None = None
        self.stream: TokenStream | None = None
        self._clock = clock
        self._began = perf_counter()
        self._first_token_at: float | None = None

    def begin(self, stream: TokenStream) -> None:
        """The server has accepted, and this is its answer."""
        self.stream = stream
        self._arrivals = aiter(stream)

    @property
    def finish(self) -> Finish | None:
        return self.stream.finish if self.stream else None

    async def arrival(self) -> Sequence[Token]:
        """The tokens of the next arrival, logprobs on the pair's scale; none at the stream's end.

        Raises:
            DeadlinePassed: the run's seconds are spent.
            EngineError: the engine could not go on.
        """
        self._clock.check()
        try:
            tokens = await self._clock.in_time(anext(self._arrivals))
        except StopAsyncIteration:
            return ()
        except EngineError as error:
            self.failure = error
            raise
        if self._first_token_at is None:
            self._first_token_at = perf_counter()
        self.arrived += len(tokens)
        return self.rescale(tokens)

    def entered(self, entry: Stretch) -> Stretch:
        """The trace's entry, completed with what is known by now."""
        usage = self.stream.usage if self.stream else None
        first = self._first_token_at
        return replace(
            entry,
            purpose=self.purpose,
            prompt_tokens=usage.prompt_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            generated_tokens=usage.completion_tokens if usage else None,
            completion_tokens=self.arrived,
            unused_tokens=self.arrived - self.used,
            first_token_seconds=None if first is None else first - self._began,
            seconds=perf_counter() - self._began,
            failed=self.failure.what if self.failure else None,
        )


class Requests:
    """Sends what one run asks for, and enters it into the run's trace."""

    def __init__(self, pair: Pair, trace: Trace, clock: Clock) -> None:
        self.pair = pair
        self.trace = trace
        self.clock = clock

    @asynccontextmanager
    async def open(self, errand: Errand, whence: Whence) -> AsyncIterator[Request]:
        """Send one request; on leaving, close it upstream and complete its entry in the trace.

        Raises:
            EngineResting: the engine has failed too often and is left alone for now.
            DeadlinePassed: the run's seconds are spent.
            EngineError: the engine refuses, or cannot be reached.
        """
        self.clock.check()
        engine = self.pair.engine(errand.author)
        if not engine.breaker.lets_through():
            raise _resting(engine)
        stretches = self.trace.stretches
        scale = LogprobScale(self.trace.logprob_scale)
        rescale = Rescale(engine.capabilities, scale, errand.sampling.temperature)
        request = Request(len(stretches), errand.purpose, rescale, self.clock)
        entry = Stretch(errand.author, errand.purpose, errand.trigger)
        stretches.append(entry)
        try:
            async with AsyncExitStack() as stack:
                opening = engine.stream(
                    whence.prefix,
                    errand.sampling,
                    max_tokens=whence.room,
                    alternatives=rescale.alternatives(errand.alternatives),
                    needs_logprobs=errand.needs_logprobs,
                    one_step=errand.one_step,
                )
                try:
                    request.begin(await self.clock.in_time(stack.enter_async_context(opening)))
                except EngineError as error:
                    request.failure = error
                    raise
                yield request
        finally:
            _tell_breaker(engine, request)
            stretches[request.index] = request.entered(entry)


def _tell_breaker(engine: Engine, request: Request) -> None:
    if request.arrived or request.finish is not None:
        engine.breaker.succeeded()
    if request.failure is not None and request.failure.transient:
        engine.breaker.failed()
    elif request.failure is not None:
        engine.breaker.succeeded()  # it answers, if only to refuse
    else:
        engine.breaker.withdrawn()


def _resting(engine: Engine) -> EngineResting:
    seconds = engine.breaker.seconds_left
    return EngineResting(
        "it failed too often and is left alone for now",
        engine.model,
        f"It will be tried again in {seconds:.0f} s.",
        retry_after=seconds,
    )
