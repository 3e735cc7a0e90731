"""The requests of one run: sent, timed, counted and entered into the trace.

All of them to one model share a session, so that a balancer in front of several servers can send
them to the one that has the run's prefix in its cache.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from trigreason.engines.base import (
    EngineBusy,
    EngineError,
    EngineResting,
    Finish,
    LogprobScale,
    Request,
    TokenStream,
)
from trigreason.engines.breaker import Breaker, BreakerState, Permit
from trigreason.engines.plausible import Plausible
from trigreason.engines.scorer import Scorer
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Purpose, RewardRequest, ScorerLog, Stretch, Token, Trace
from trigreason.running.deadline import Deadline, now
from trigreason.running.rescale import Rescale

AHEAD = (Purpose.WARM, Purpose.HEDGE)
"""Requests that nobody needs yet; their failures are not held against the engine."""


class RunningRequest:
    """A request that was sent, with its tokens; ``index`` is its place in the trace's stretches.

    ``used`` is the caller's count of the tokens that went into a step, a score or the answer.
    """

    def __init__(
        self,
        request: Request,
        entry: Stretch,
        trace: Trace,
        rescale: Rescale,
        deadline: Deadline,
        breaker: Breaker,
    ) -> None:
        self.request = request
        self.purpose = entry.purpose
        self.plausible: Plausible | None = None
        self.used = 0
        self.arrived = 0
        self.failure: EngineError | None = None
        self.index = len(trace.stretches)
        self.stream: TokenStream | None = None
        self._entry = entry
        self._trace = trace
        self._rescale = rescale
        self._deadline = deadline
        self._breaker = breaker
        self._began = now()
        self._first_token_at: float | None = None
        self._ended: float | None = None
        trace.stretches.append(entry)

    def begin(self, stream: TokenStream) -> None:
        """The server has accepted the request and answers with ``stream``."""
        self.stream = stream
        self._arrivals = aiter(stream)

    @property
    def finish(self) -> Finish | None:
        return self.stream.finish if self.stream else None

    async def arrival(self) -> Sequence[Token]:
        """The next tokens, with logprobs on the pair's scale; none at the stream's end.

        Raises:
            DeadlinePassed: the run's seconds are spent.
            EngineError: the engine could not go on.
        """
        self._deadline.check()
        try:
            tokens = await self._deadline.keep(anext(self._arrivals))
            if self.plausible is not None:
                self.plausible.look_at(tokens)
        except StopAsyncIteration:
            self._breaker.answered()
            return ()
        except EngineError as error:
            self.failure = error
            raise
        self._breaker.answered()
        if self._first_token_at is None:
            self._first_token_at = now()
        self.arrived += len(tokens)
        return self._rescale(tokens)

    async def end(self) -> None:
        """Stop reading."""
        close = getattr(self._arrivals, "aclose", None)
        if close is not None:
            await close()

    def settle(self) -> None:
        """Complete the entry in the trace with the counts and times so far."""
        self._ended = self._ended or now()
        usage = self.stream.usage if self.stream else None
        first = self._first_token_at
        self._trace.stretches[self.index] = replace(
            self._entry,
            purpose=self.purpose,
            prompt_tokens=usage.prompt_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            generated_tokens=usage.completion_tokens if usage else None,
            completion_tokens=self.arrived,
            unused_tokens=self.arrived - self.used,
            first_token_seconds=None if first is None else first - self._began,
            seconds=self._ended - self._began,
            failed=self.failure.what if self.failure else None,
        )


def sessions(conversation: str | None) -> dict[Author, str]:
    """Each model's session of a run, 32 hexadecimal digits: random, or by the conversation.

    It is a hash of the conversation's id, so that the servers do not see the id itself.
    """
    conversation = conversation or secrets.token_hex(16)
    return {
        author: hashlib.sha256(f"{author}:{conversation}".encode()).hexdigest()[:32]
        for author in Author
    }


class Requests:
    """Sends the requests of one run, and enters them into the run's trace.

    ``conversation`` identifies what the run belongs to, if other runs belong to it too.
    """

    def __init__(
        self, pair: Pair, trace: Trace, deadline: Deadline, conversation: str | None = None
    ) -> None:
        self.pair = pair
        self.trace = trace
        self.deadline = deadline
        self._run = object()
        self._sessions = sessions(conversation)
        self._began = now()

    @asynccontextmanager
    async def open(self, entry: Stretch, request: Request) -> AsyncIterator[RunningRequest]:
        """Send one request; on leaving, close it upstream and complete ``entry`` in the trace.

        Raises:
            EngineResting: the engine has failed too often and is left alone for now.
            DeadlinePassed: the run's seconds are spent.
            EngineError: the engine refuses, or cannot be reached.
        """
        self.deadline.check()
        engine = self.pair.engine(entry.author)
        is_early = entry.purpose in AHEAD
        permit = _permit(engine.breaker, engine.model, self._run, is_early=is_early)
        temperature = request.sampling.temperature
        scale = LogprobScale(self.trace.logprob_scale)
        rescale = Rescale(engine.capabilities, scale, temperature)
        entry = replace(entry, began_seconds=now() - self._began)
        running = RunningRequest(request, entry, self.trace, rescale, self.deadline, engine.breaker)
        if request.needs_logprobs and temperature > 0:
            running.plausible = Plausible(engine.model)
        try:
            async with AsyncExitStack() as stack:
                alternatives = rescale.alternatives(request.alternatives)
                session = self._sessions[entry.author]
                opening = engine.send(replace(request, alternatives=alternatives, session=session))
                try:
                    running.begin(await self.deadline.keep(stack.enter_async_context(opening)))
                except EngineError as error:
                    running.failure = error
                    raise
                stack.push_async_callback(running.end)
                yield running
        finally:
            is_early = running.purpose in AHEAD  # a hedge may have become the rewrite
            _tell_breaker(engine.breaker, permit, running.failure, is_early=is_early)
            running.settle()

    async def rate(self, scorer: Scorer, log: ScorerLog, steps: Sequence[str]) -> float:
        """The reward of the last of ``steps``, the one that is recorded next.

        Raises:
            EngineResting: the scorer has failed too often and is left alone for now.
            DeadlinePassed: the run's seconds are spent.
            EngineError: the scorer refuses, cannot be reached, or gives no rewards.
        """
        self.deadline.check()
        permit = _permit(scorer.breaker, scorer.model or "the scorer", self._run)
        began, failure = now(), None
        entry = RewardRequest(len(self.trace.steps), began_seconds=began - self._began)
        log.requests.append(entry)
        try:
            rated = await self.deadline.keep(scorer.rate(self.trace.messages, steps))
            scorer.breaker.answered()
            log.model = rated.model or log.model
            entry = replace(entry, prompt_tokens=rated.prompt_tokens)
        except EngineError as error:
            failure = error
            entry = replace(entry, failed=error.what)
            raise
        finally:
            _tell_breaker(scorer.breaker, permit, failure)
            log.requests[-1] = replace(entry, seconds=now() - began)
        return rated.reward


def _permit(breaker: Breaker, model: str, run: object, *, is_early: bool = False) -> Permit:
    """The breaker's permit for a request to a model.

    Raises:
        EngineResting, EngineBusy: the breaker gives none.
    """
    is_spared = is_early and breaker.state is not BreakerState.CLOSED
    permit = None if is_spared else breaker.enter(run)
    if permit is not None:
        return permit
    seconds = breaker.seconds_left
    if breaker.state is BreakerState.HALF_OPEN and not breaker.has_tried(run):
        raise EngineBusy(
            f"another request is trying whether it is back ({breaker.last_failure})",
            model,
            "Try again in a moment.",
        )
    raise EngineResting(
        f"it failed too often, last with: {breaker.last_failure}",
        model,
        f"It is left alone for {seconds:.0f} s.",
        retry_after=seconds,
    )


def _tell_breaker(
    breaker: Breaker, permit: Permit, failure: EngineError | None, *, is_early: bool = False
) -> None:
    if failure is None or not failure.sent:
        breaker.left(permit)
    elif not failure.transient or isinstance(failure, EngineBusy):
        breaker.answered()
    elif not is_early:
        breaker.failed(permit, failure.what)
