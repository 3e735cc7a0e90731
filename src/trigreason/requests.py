"""One request to a model, timed, counted and entered into the trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from time import perf_counter

from trigreason.engines.base import (
    Capabilities,
    Engine,
    Finish,
    LogprobScale,
    Prefix,
    Sampling,
    TokenStream,
)
from trigreason.reasoning import Author, Purpose, Stretch, Token, Trace, Trigger, sharpen

SHARPENING_ALTERNATIVES = 20
"""Likely tokens asked for per position where logprobs must be moved to another temperature."""


class DeadlinePassed(Exception):
    """The run's seconds are spent."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request is for, and until when (a loop time in seconds) it may take."""

    author: Author
    purpose: Purpose
    trigger: Trigger | None = None
    deadline: float | None = None
    needs_logprobs: bool = False


class Request:
    """A running request, ``index`` in the trace's stretches.

    ``used`` is the caller's count of the tokens that went into a step, a score or the answer.
    """

    def __init__(
        self, index: int, stream: TokenStream, deadline: float | None, rescale: Rescale
    ) -> None:
        self.index = index
        self.used = 0
        self.arrived = 0
        self.first_token_at: float | None = None
        self._stream = stream
        self._deadline = deadline
        self._rescale = rescale

    @property
    def finish(self) -> Finish | None:
        return self._stream.finish

    async def arrivals(self) -> AsyncIterator[Sequence[Token]]:
        """Tokens as they come, with logprobs on the pair's scale.

        Raises:
            DeadlinePassed: the run's seconds are spent.
            EngineError: the engine could not go on.
        """
        stream = aiter(self._stream)
        while True:
            try:
                if self._deadline is None:
                    tokens = await anext(stream)
                else:
                    async with asyncio.timeout_at(self._deadline):
                        tokens = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise DeadlinePassed from error
            if self.first_token_at is None:
                self.first_token_at = perf_counter()
            self.arrived += len(tokens)
            yield self._rescale(tokens)
            self._check_clock()

    def _check_clock(self) -> None:
        """A stream that never has to be waited for meets no timeout."""
        if self._deadline is not None and asyncio.get_running_loop().time() >= self._deadline:
            raise DeadlinePassed


@asynccontextmanager
async def open_request(
    engine: Engine,
    errand: Errand,
    trace: Trace,
    prefix: Prefix,
    sampling: Sampling,
    *,
    max_tokens: int,
    alternatives: int = 0,
) -> AsyncIterator[Request]:
    """Send a request; on leaving, close it upstream and complete its entry in the trace.

    Each request of a run draws from a seed of its own, the run's seed plus the request's number.
    """
    index = len(trace.stretches)
    entry = Stretch(errand.author, errand.purpose, errand.trigger)
    trace.stretches.append(entry)
    rescale = Rescale(engine.capabilities, LogprobScale(trace.logprob_scale), sampling.temperature)
    start = perf_counter()
    request: Request | None = None
    stream: TokenStream | None = None
    try:
        async with AsyncExitStack() as stack:
            opening = engine.stream(
                prefix,
                replace(sampling, seed=(sampling.seed + index) % 2**31),
                max_tokens=max_tokens,
                alternatives=rescale.alternatives(alternatives),
                needs_logprobs=errand.needs_logprobs,
            )
            try:
                async with asyncio.timeout_at(errand.deadline):
                    stream = await stack.enter_async_context(opening)
            except TimeoutError as error:
                raise DeadlinePassed from error
            request = Request(index, stream, errand.deadline, rescale)
            yield request
    finally:
        first = request.first_token_at if request else None
        trace.stretches[index] = replace(
            entry,
            prompt_tokens=stream.usage.prompt_tokens if stream else None,
            cached_tokens=stream.usage.cached_tokens if stream else None,
            completion_tokens=request.arrived if request else 0,
            unused_tokens=request.arrived - request.used if request else 0,
            first_token_seconds=None if first is None else first - start,
            seconds=perf_counter() - start,
        )


class Rescale:
    """Moves logprobs from the scale an engine reports to the one a pair's thresholds stand on.

    Greedy sampling needs no move: servers report the raw distribution there.
    """

    def __init__(
        self, capabilities: Capabilities, wanted: LogprobScale, temperature: float
    ) -> None:
        self._has_logprobs = capabilities.logprobs
        self._temperatures: tuple[float, float] | None = None
        if capabilities.logprob_scale is not wanted and temperature not in (0, 1):
            raw_wanted = wanted is LogprobScale.RAW
            self._temperatures = (1.0, temperature) if raw_wanted else (temperature, 1.0)

    def alternatives(self, asked: int) -> int | None:
        """How many likely tokens to ask for; None where the engine has no logprobs."""
        if not self._has_logprobs:
            return None
        return max(asked, SHARPENING_ALTERNATIVES) if self._temperatures else asked

    def __call__(self, tokens: Sequence[Token]) -> Sequence[Token]:
        if self._temperatures is None:
            return tokens
        wanted, reported = self._temperatures
        return [
            replace(token, logprob=sharpen(token, wanted, reported) if token.top else None)
            for token in tokens
        ]
