"""The loop: drives a method over a pair of engines and tells what happens.

A stretch, the consecutive steps of one author, is one streamed request. Steps are cut and judged
while it runs; only a handover ends it, by closing it, and that stops generation upstream.

    run:      open() -> stretch -> stretch -> ... -> answer -> done
    stretch:  stream -> cut -> on_step -> same author:  read on
                                       -> Judge:        ask for a score, the stream stays open
                                       -> Rewrite:      the step becomes a draft; close
                                       -> other author: the step stands; close
              </think> in a step that stands: the same stream goes on with the answer
    answer:   a request of its own only where no author closed the thinking
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from time import perf_counter

from trigreason.engines.base import (
    ContextTooLong,
    EngineError,
    Finish,
    NoLogprobs,
    Prefix,
    Sampling,
)
from trigreason.events import (
    Done,
    Event,
    RunBegun,
    StepBegun,
)
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Author,
    Judge,
    Purpose,
    Rewrite,
    Step,
    StepEnd,
    StopReason,
    Token,
    Write,
    read_score,
)
from trigreason.requests import DeadlinePassed, Errand, Request, open_request
from trigreason.run_state import RunState
from trigreason.writing import AnswerWriter, StretchWriter

JUDGE_ALTERNATIVES = 10


class Loop:
    """The asking, streaming and answering of one run; what it has come to is in ``state``."""

    def __init__(
        self, pair: Pair, state: RunState, sampling: Sampling, request_per_step: bool
    ) -> None:
        self.pair = pair
        self.state = state
        self.sampling = sampling
        self.request_per_step = request_per_step
        self.deadline: float | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        state, trace = self.state, self.state.trace
        started = perf_counter()
        if state.budget.seconds is not None:
            self.deadline = asyncio.get_running_loop().time() + state.budget.seconds
        yield RunBegun(trace)
        try:
            self._check_logprobs()
            while not state.thinking_over:
                async with aclosing(self._stretch()) as events:
                    async for event in events:
                        yield event
            if trace.stop is None:
                async with aclosing(self._answer()) as events:
                    async for event in events:
                        yield event
        except DeadlinePassed:
            state.stop(StopReason.TRUNCATED, "seconds")
        except EngineError as error:
            if not isinstance(error, ContextTooLong) or not trace.steps:
                error.details["trace"] = trace
                raise
            state.stop(StopReason.TRUNCATED, "context")
        finally:
            trace.seconds = perf_counter() - started
        yield Done(trace)

    def _check_logprobs(self) -> None:
        engine = self.pair.srm
        if self.state.method.needs_logprobs and not engine.capabilities.logprobs:
            raise NoLogprobs(
                "the SRM returns no token probabilities, and the cognitive offload needs them",
                engine.model,
                "Serve it with logprobs, or switch the offload off (rho = 1).",
            )

    async def _stretch(self) -> AsyncGenerator[Event, None]:
        """One request of thinking: until the pen changes hands, or the answer is written."""
        state = self.state
        for event in state.take_pen():
            yield event
        writer = state.writer()
        room = state.room(one_step=self.request_per_step)
        async with self._open(writer.author, Purpose.WRITE, state.prefix(), room) as request:
            try:
                async for tokens in request.arrivals():
                    for event in await self._take(tokens, writer, request):
                        yield event
                    if writer.failure is not None:
                        raise writer.failure
                    if writer.done:
                        return
            except (DeadlinePassed, EngineError):
                for event in await self._finish_all(
                    writer.cutter.flush(StepEnd.CUT_OFF), writer, request
                ):
                    yield event
                raise
            for event in await self._end_of_stream(writer, request):
                yield event
            if writer.failure is not None:
                raise writer.failure

    async def _take(
        self, tokens: Sequence[Token], writer: StretchWriter, request: Request
    ) -> list[Event]:
        """Put arrived tokens into the step under way, and into the answer once it has begun."""
        state = self.state
        events: list[Event] = []
        for token in tokens:
            if writer.answer is not None:
                request.used += 1
                events += writer.answer.push(token.text)
            else:
                finished = writer.cutter.push(token)
                if not writer.cutter.closed and state.is_spent(writer.cutter.open_tokens):
                    finished += writer.cutter.flush(StepEnd.CUT_OFF)
                events += await self._finish_all(finished, writer, request)
            if writer.answer is not None and writer.answer.is_full:
                events += state.end_of_answer(writer.answer, Finish.LENGTH)
                writer.done = True
            if writer.done:
                return events
        if writer.answer is not None:
            state.keep_answer(writer.answer)
        events += writer.show()
        return events

    async def _finish_all(
        self, steps: Sequence[Step], writer: StretchWriter, request: Request
    ) -> list[Event]:
        """Decide on finished steps in their order; what follows a lost pen is dropped."""
        events: list[Event] = []
        for step in steps:
            if not writer.done:
                events += await self._finish(step, writer, request)
        return events

    async def _finish(self, step: Step, writer: StretchWriter, request: Request) -> list[Event]:
        """A step is finished: decide, record, and say whether its author goes on."""
        state = self.state
        try:
            decision, score = await self._decide(step)
        except (DeadlinePassed, EngineError) as failure:
            writer.failure = failure  # the judge is lost, the step is not
            step = replace(step, end=StepEnd.CUT_OFF)
            decision, score = Write(step.author), None
        state.decision = decision
        request.used += len(step.tokens)
        has_logprobs = self.pair.engine(step.author).capabilities.logprobs
        record = state.record(step, request.index, score, has_logprobs=has_logprobs)
        if isinstance(decision, Rewrite):
            writer.done = True
            return [state.drop(record, decision.trigger)]
        events = [*writer.show_rest(step), state.keep(record)]
        if step.end is StepEnd.END_OF_THINKING:
            events += writer.begin_answer(state.budget.answer_tokens)
        elif (
            state.thinking_over
            or step.end in (StepEnd.END_OF_STREAM, StepEnd.CUT_OFF)
            or self.request_per_step
            or decision.author is not writer.author
        ):
            writer.done = True
        else:
            events.append(StepBegun(writer.author, state.trigger))
        return events

    async def _decide(self, step: Step) -> tuple[Write | Rewrite, float | None]:
        """What the method makes of a step, and the judge's score where it wanted one."""
        if step.end is StepEnd.CUT_OFF:
            return Write(step.author), None
        decision = self.state.method.on_step(step)
        if not isinstance(decision, Judge):
            return decision, None
        score = await self._judge(decision.author, step)
        decision = self.state.method.on_score(score)
        assert not isinstance(decision, Judge), "a score is answered with a decision"
        return decision, score

    async def _judge(self, author: Author, step: Step) -> float:
        """The judge's score of a step; 0, and counted, where it wrote no digit."""
        judge = self.pair.judge
        prefix = self.state.judged_prefix(step, judge)
        async with self._open(author, Purpose.JUDGE, prefix, 1) as request:
            async for tokens in request.arrivals():
                request.used += len(tokens)
                score = read_score(tokens[0], judge.scoring)
                if score is not None:
                    return score
        self.state.trace.unreadable_scores += 1
        return 0.0

    async def _end_of_stream(self, writer: StretchWriter, request: Request) -> list[Event]:
        """The server ended the stream: the author ended its turn, or its context is full."""
        state = self.state
        if writer.answer is not None:
            return state.end_of_answer(writer.answer, request.finish)
        context_full = request.finish is Finish.LENGTH
        rest = writer.cutter.flush(StepEnd.CUT_OFF if context_full else StepEnd.END_OF_STREAM)
        events = await self._finish_all(rest, writer, request)
        if context_full:
            state.stop(StopReason.TRUNCATED, "context")
        if not rest or isinstance(state.decision, Write):
            state.thinking_over = True
        return events

    async def _answer(self) -> AsyncGenerator[Event, None]:
        """Close the thinking for its author and ask for the answer."""
        state = self.state
        room = state.budget.answer_tokens
        answer = AnswerWriter(state.last_author(), room)
        async with self._open(
            answer.author, Purpose.ANSWER, state.closed_prefix(), room
        ) as request:
            async for tokens in request.arrivals():
                for token in tokens[: room - request.used]:
                    request.used += 1
                    for event in answer.push(token.text):
                        yield event
                state.keep_answer(answer)
                if request.arrived > request.used:
                    break  # the server does not keep to max_tokens
            finish = Finish.LENGTH if request.arrived > request.used else request.finish
            for event in state.end_of_answer(answer, finish):
                yield event

    def _open(
        self, author: Author, purpose: Purpose, prefix: Prefix, room: int
    ) -> AbstractAsyncContextManager[Request]:
        judging = purpose is Purpose.JUDGE
        writing = purpose is Purpose.WRITE
        errand = Errand(
            author,
            purpose,
            self.state.trigger if writing else None,
            self.deadline,
            writing and author is Author.SRM and self.state.method.needs_logprobs,
        )
        return open_request(
            self.pair.engine(author),
            errand,
            self.state.trace,
            prefix,
            replace(self.sampling, temperature=0.0) if judging else self.sampling,
            max_tokens=room,
            alternatives=JUDGE_ALTERNATIVES if judging else 0,
        )
