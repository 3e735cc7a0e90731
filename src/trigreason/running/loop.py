"""The loop: drives a method over a pair of engines and reports events.

A stretch, the consecutive steps of one author, is one streamed request. Steps are cut and judged
while it runs. A handover closes the request, which stops generation on the server.

    run:      open() -> stretch -> stretch -> ... -> answer -> done
    stretch:  stream -> cut -> on_step -> same author:  read on
                                       -> Judge:        ask for a score, the stream stays open
                                       -> Reward:       ask the scorer, the stream stays open
                                       -> Rewrite:      the step becomes a draft; close
                                       -> other author: the step stands; close
                                       -> Halt:         the step stands; the thinking is closed
              </think> in a step that stands: the same stream goes on with the answer
    answer:   a separate request only if no author closed the thinking (see ``ending``), or if a
              guide binds it (see ``bound``)

After a failed request, a new one continues where it broke off (see ``retrying``). If that does not
help, the unfinished step is cut off and the other model goes on alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from trigreason.engines.base import BLANK_LINE, EngineError, Finish, Sampling
from trigreason.events import Done, Event, RunBegun, StepBegun, TokensArrived
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Author,
    Purpose,
    Reading,
    Rewrite,
    Step,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Token,
    Trigger,
    Write,
    repeated_run,
)
from trigreason.running import ending
from trigreason.running.ahead import Ahead
from trigreason.running.asking import Asking
from trigreason.running.bound import bound_answer
from trigreason.running.deadline import Deadline, DeadlinePassed, now
from trigreason.running.judging import Decided, decide, features_of, is_dropped
from trigreason.running.requests import Requests
from trigreason.running.retrying import ModelAway, RetryingStream, ScorerAway
from trigreason.running.state import RunState
from trigreason.running.writing import StretchWriter

REPETITION_TOKENS = 16
"""The unfinished step is searched for repetition after every so many tokens."""


class Loop:
    """Sends the requests of one run and acts on its steps; the run's state is in ``state``."""

    def __init__(
        self,
        pair: Pair,
        state: RunState,
        sampling: Sampling,
        request_per_step: bool,
        conversation: str | None = None,
    ) -> None:
        self.pair = pair
        self.state = state
        self.request_per_step = request_per_step
        self.asking = Asking(pair, state, sampling, request_per_step=request_per_step)
        deadline = Deadline.within(state.budget.seconds)
        self.requests = Requests(pair, state.trace, deadline, conversation)
        self.ahead = Ahead(self.requests, self.asking, state, pair.hiding)

    async def events(self) -> AsyncGenerator[Event, None]:
        state, trace = self.state, self.state.trace
        started = now()
        yield RunBegun(trace)
        try:
            while trace.stop is None:
                part = self._answer() if state.thinking_over else self._stretch()
                away: ModelAway | None = None
                try:
                    async with aclosing(part) as events:
                        async for event in events:
                            yield event
                except ModelAway as failure:
                    away = failure
                if away is not None:
                    await self.ahead.drop_hedge()
                    for event in state.meet_failure(away.author, away.error, self.pair.failure):
                        yield event
        except DeadlinePassed:
            state.stop(StopReason.TRUNCATED, "seconds")
        finally:
            await self.ahead.close()
            trace.seconds = now() - started
        yield Done(trace)

    def _answer(self) -> AsyncGenerator[Event, None]:
        if self.state.guide is not None:
            return bound_answer(self.requests, self.asking, self.state, self.state.guide)
        return ending.answer(self.requests, self.asking, self.state)

    async def _stretch(self) -> AsyncGenerator[Event, None]:
        """One stretch of thinking, until the other author takes over or the answer is written."""
        state = self.state
        for event in state.take_pen():
            yield event
        writer = state.writer()
        async with self._stream_of(writer) as stream:
            try:
                while tokens := await stream.arrival() or await self._unstopped(writer, stream):
                    yield TokensArrived(writer.author, len(tokens))
                    for event in await self._take(tokens, writer, stream):
                        yield event
                    if writer.failure is not None:
                        raise writer.failure
                    if writer.done:
                        return
                for event in await self._end_of_stream(writer, stream):
                    yield event
                if writer.failure is not None:
                    raise writer.failure
            except (DeadlinePassed, ModelAway, EngineError):
                for event in self._cut_off(writer, stream):
                    yield event
                raise
            except BaseException:
                self._cut_off(writer, stream)  # closed or cancelled: nobody listens any more
                raise

    def _stream_of(self, writer: StretchWriter) -> RetryingStream:
        """The tokens of a stretch from where ``writer`` is; a begun hedge serves as its request."""
        entry = Stretch(writer.author, Purpose.WRITE, self.state.trigger)
        hedge = self.ahead.take_hedge()
        return RetryingStream(self.requests, entry, self.asking.stretch(writer), hedge)

    async def _take(
        self, tokens: Sequence[Token], writer: StretchWriter, stream: RetryingStream
    ) -> list[Event]:
        """Add arrived tokens to the unfinished step, or to the answer once it has begun."""
        state = self.state
        events: list[Event] = []
        for token in tokens:
            if state.answer is not None and state.answer.room <= 0:
                events += ending.end_of_answer(state, Finish.LENGTH)
                writer.done = True
                return events
            stream.use()
            if state.answer is not None:
                events += state.answer.push(token.text)
            else:
                finished = writer.cutter.push(token)
                if not writer.cutter.closed:
                    finished += self._cut_short(writer, stream)
                if not finished and is_dropped(writer.cutter, self.pair, self.state):
                    finished = writer.cutter.flush(StepEnd.OPENING)
                if finished:
                    events += await self._finish_all(finished, writer, stream)
            if writer.done:
                return events
        if state.answer is not None:
            state.keep_answer()
            return events
        self.ahead.look_at(writer.cutter)
        events += writer.show()
        return events

    async def _unstopped(self, writer: StretchWriter, stream: RetryingStream) -> Sequence[Token]:
        """The tokens after a stop string that did not end a step, although it was to.

        A blank line does not end a step at its very beginning, in a code block or in the answer.
        If the server says that the model ended its turn, nothing more is requested.
        """
        if not stream.request.one_step or stream.finish is not Finish.STOP:
            return ()
        if self.state.answer is None and not writer.cutter.open_text.endswith(BLANK_LINE):
            return ()
        await stream.go_on_with(self.asking.unstopped(writer, stream.request))
        return await stream.arrival()

    def _cut_short(self, writer: StretchWriter, stream: RetryingStream) -> list[Step]:
        """End the unfinished step if it spends the budget or repeats itself."""
        state, cutter = self.state, writer.cutter
        if state.is_spent(cutter.open_tokens):
            stream.use(-cutter.take_back(tags=True))
            steps = cutter.flush(StepEnd.CUT_OFF)
            if not steps:
                state.close_thinking("thinking_tokens")
                writer.done = True
            return steps
        is_due = cutter.open_tokens % REPETITION_TOKENS == REPETITION_TOKENS - 1
        if is_due and not state.run.guard.is_off and repeated_run(cutter.open_text):
            return cutter.flush(StepEnd.REPETITION)
        return []

    async def _finish_all(
        self, steps: Sequence[Step], writer: StretchWriter, stream: RetryingStream
    ) -> list[Event]:
        """Decide on finished steps in order; steps after the end of the stretch are dropped."""
        events: list[Event] = []
        for step in steps:
            if not writer.done:
                writer.undecided = step
                events += await self._finish(step, writer, stream)
                writer.undecided = None
        return events

    async def _finish(
        self, step: Step, writer: StretchWriter, stream: RetryingStream
    ) -> list[Event]:
        """Decide on a finished step and record it; ``writer.done`` says if its author stops."""
        state = self.state
        events: list[Event] = []
        reading = state.run.read(features_of(step, self.pair))
        try:
            decided = await decide(step, reading, self.pair, state, self.requests, self.asking)
        except ModelAway as away:  # the score is lost, the step is not
            decided = Decided(Write(step.author))
            try:
                events += state.meet_failure(away.author, away.error, self.pair.failure)
            except EngineError as error:
                writer.failure = error
        except ScorerAway as away:
            decided = Decided(Write(step.author))
            try:
                events += state.meet_scorer_failure(away.error, self.pair.failure)
                decided = Decided(Rewrite(Author.LRM, Trigger.METHOD))  # none stands unrated
            except EngineError as error:
                writer.failure = error
        except DeadlinePassed as failure:
            decided = Decided(Write(step.author))
            writer.failure = failure
        decision = decided.decision
        is_over = writer.failure is not None or state.trace.stop is not None
        if is_over:
            step = replace(step, end=StepEnd.CUT_OFF)
        state.decide(decision, step)
        record = self._record(step, reading, stream, decided)
        if isinstance(decision, Rewrite):
            writer.done = True
            return [*events, state.drop(record, decision.trigger)]
        await self.ahead.drop_hedge()
        events += [*writer.show_rest(step), state.keep(record)]
        if step.end is StepEnd.END_OF_THINKING and state.guide is None:
            events += state.begin_answer_in_stream(step.author, writer.cutter.remainder)
        elif (
            state.thinking_over
            or step.end in (StepEnd.END_OF_STREAM, StepEnd.CUT_OFF)
            or self.request_per_step
            or stream.request.one_step
            or state.decision.author is not writer.author
        ):
            writer.done = True
        else:
            events.append(StepBegun(writer.author, state.trigger))
        self.ahead.step_stands(step.author)
        return events

    def _cut_off(self, writer: StretchWriter, stream: RetryingStream) -> list[Event]:
        """Keep what there is of the unfinished step; the method does not decide on it."""
        if writer.done:
            return []
        state = self.state
        open_steps = [] if writer.cutter.closed else writer.cutter.flush(StepEnd.CUT_OFF)
        if writer.undecided is not None:
            open_steps.insert(0, replace(writer.undecided, end=StepEnd.CUT_OFF))
        events: list[Event] = []
        for step in open_steps:
            state.decide(Write(step.author), step)
            record = self._record(step, state.run.read(features_of(step, self.pair)), stream)
            events += [*writer.show_rest(step), state.keep(record)]
        return events

    def _record(
        self, step: Step, reading: Reading, stream: RetryingStream, decided: Decided | None = None
    ) -> StepRecord:
        return self.state.record(
            step,
            reading,
            stream.index,
            score=decided.score if decided else None,
            reward=decided.reward if decided else None,
            has_logprobs=self.pair.engine(step.author).capabilities.logprobs,
        )

    async def _end_of_stream(self, writer: StretchWriter, stream: RetryingStream) -> list[Event]:
        """The server ended the stream: the author ended its turn, or its context is full."""
        state = self.state
        if state.answer is not None:
            return ending.end_of_answer(state, stream.finish)
        context_full = stream.finish is Finish.LENGTH
        rest = writer.cutter.flush(StepEnd.CUT_OFF if context_full else StepEnd.END_OF_STREAM)
        events = await self._finish_all(rest, writer, stream)
        if context_full:
            state.trace.limit = state.trace.limit or "context"
        if not rest or isinstance(state.decision, Write):
            state.thinking_over = True
            if not context_full:
                events += ending.end_of_turn(state)
        return events
