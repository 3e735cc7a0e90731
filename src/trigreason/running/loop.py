"""The loop: drives a method over a pair of engines and tells what happens.

A stretch, the consecutive steps of one author, is one streamed request. Steps are cut and judged
while it runs; only a handover ends it, by closing it, and that stops generation upstream.

    run:      open() -> stretch -> stretch -> ... -> answer -> done
    stretch:  stream -> cut -> on_step -> same author:  read on
                                       -> Judge:        ask for a score, the stream stays open
                                       -> Rewrite:      the step becomes a draft; close
                                       -> other author: the step stands; close
                                       -> Halt:         the step stands; the thinking is closed
              </think> in a step that stands: the same stream goes on with the answer
    answer:   a request of its own only where no author closed the thinking (see ``ending``)

A request that fails is followed by one that goes on where it broke off (see ``turn``). Where that
does not help, the step under way is cut off and the other model goes on alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from trigreason.engines.base import BLANK_LINE, EngineError, Finish, Sampling
from trigreason.events import Done, Event, RunBegun, StepBegun
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Features,
    Reading,
    Rewrite,
    Step,
    StepEnd,
    StepRecord,
    StopReason,
    Token,
    Write,
    repeated_run,
)
from trigreason.running import ending
from trigreason.running.ahead import Ahead
from trigreason.running.answering import answer
from trigreason.running.deadline import Deadline, DeadlinePassed, now
from trigreason.running.errands import Errands, Whence
from trigreason.running.judging import decide
from trigreason.running.requests import Requests
from trigreason.running.state import RunState
from trigreason.running.turn import ModelAway, Turn, Writing
from trigreason.running.writing import StretchWriter

REPETITION_TOKENS = 16
"""A step under way is looked through for repetition whenever so many tokens more have come."""


class Loop:
    """The asking, streaming and answering of one run; what it has come to is in ``state``."""

    def __init__(
        self, pair: Pair, state: RunState, sampling: Sampling, request_per_step: bool
    ) -> None:
        self.pair = pair
        self.state = state
        self.request_per_step = request_per_step
        self.errands = Errands(pair, state, sampling)
        self.requests = Requests(pair, state.trace, Deadline.within(state.budget.seconds))
        self.ahead = Ahead(self.requests, self.errands, state, pair.hiding)

    async def events(self) -> AsyncGenerator[Event, None]:
        state, trace = self.state, self.state.trace
        started = now()
        yield RunBegun(trace)
        try:
            while trace.stop is None:
                part = (
                    answer(self.requests, self.errands, state)
                    if state.thinking_over
                    else self._stretch()
                )
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

    async def _stretch(self) -> AsyncGenerator[Event, None]:
        """One turn of thinking: until the pen changes hands, or the answer is written."""
        state = self.state
        for event in state.take_pen():
            yield event
        writer = state.writer()
        async with self._turn_of(writer) as turn:
            try:
                while tokens := await turn.arrival() or await self._unstopped(writer, turn):
                    for event in await self._take(tokens, writer, turn):
                        yield event
                    if writer.failure is not None:
                        raise writer.failure
                    if writer.done:
                        return
                for event in await self._end_of_stream(writer, turn):
                    yield event
                if writer.failure is not None:
                    raise writer.failure
            except (DeadlinePassed, ModelAway, EngineError):
                for event in self._cut_off(writer, turn):
                    yield event
                raise
            except BaseException:
                self._cut_off(writer, turn)  # closed or cancelled: nobody listens any more
                raise

    def _turn_of(self, writer: StretchWriter) -> Turn:
        """A turn at thinking that goes on from where ``writer`` is, whatever happens to it."""
        state, cutter = self.state, writer.cutter
        hedge = self.ahead.take_hedge()
        errand = self.errands.write()

        def whence() -> Whence:
            if state.answer is not None:
                return Whence(state.answer_prefix(state.answer), max(1, state.answer.room))
            one_step = self.request_per_step or errand.one_step
            prefix = state.prefix(writer.author, cutter.open_text)
            return Whence(prefix, max(1, state.room(one_step=one_step) - cutter.open_tokens))

        def take_back(tags: bool) -> int:
            return cutter.take_back(tags=tags) if state.answer is None else state.take_back()

        return Turn(self.requests, errand, Writing(whence, take_back), self.pair.failure, hedge)

    async def _take(
        self, tokens: Sequence[Token], writer: StretchWriter, turn: Turn
    ) -> list[Event]:
        """Put arrived tokens into the step under way, and into the answer once it has begun."""
        state = self.state
        events: list[Event] = []
        for token in tokens:
            if state.answer is not None and state.answer.room <= 0:
                events += ending.end_of_answer(state, Finish.LENGTH)
                writer.done = True
                return events
            turn.use()
            if state.answer is not None:
                events += state.answer.push(token.text)
            else:
                finished = writer.cutter.push(token)
                if not writer.cutter.closed:
                    finished += self._cut_short(writer, turn)
                if finished:
                    events += await self._finish_all(finished, writer, turn)
            if writer.done:
                return events
        if state.answer is not None:
            state.keep_answer()
            return events
        self.ahead.look_at(writer.cutter)
        events += writer.show()
        return events

    async def _unstopped(self, writer: StretchWriter, turn: Turn) -> Sequence[Token]:
        """The tokens behind a stop at which the server was to end a step and has not ended one.

        The text that ends a step does not do so at its very beginning, in a code block or in the
        answer. Where the server says that the model ended its turn, there is nothing behind it.
        """
        if not turn.errand.one_step or turn.finish is not Finish.STOP:
            return ()
        if self.state.answer is None and not writer.cutter.open_text.endswith(BLANK_LINE):
            return ()
        await turn.go_on_with(replace(turn.errand, one_step=False))
        return await turn.arrival()

    def _cut_short(self, writer: StretchWriter, turn: Turn) -> list[Step]:
        """The step under way, where the budget is spent with it or where it repeats itself."""
        state, cutter = self.state, writer.cutter
        if state.is_spent(cutter.open_tokens):
            turn.use(-cutter.take_back(tags=True))
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
        self, steps: Sequence[Step], writer: StretchWriter, turn: Turn
    ) -> list[Event]:
        """Decide on finished steps in their order; what follows a lost pen is dropped."""
        events: list[Event] = []
        for step in steps:
            if not writer.done:
                writer.undecided = step
                events += await self._finish(step, writer, turn)
                writer.undecided = None
        return events

    async def _finish(self, step: Step, writer: StretchWriter, turn: Turn) -> list[Event]:
        """A step is finished: decide, record, and say whether its author goes on."""
        state = self.state
        events: list[Event] = []
        reading = state.run.read(Features(step))
        try:
            decision, score = await decide(
                step, reading, self.pair, state, self.requests, self.errands
            )
        except ModelAway as away:  # the score is lost, the step is not
            decision, score = Write(step.author), None
            try:
                events += state.meet_failure(away.author, away.error, self.pair.failure)
            except EngineError as error:
                writer.failure = error
        except DeadlinePassed as failure:
            decision, score = Write(step.author), None
            writer.failure = failure
        is_over = writer.failure is not None or state.trace.stop is not None
        if is_over:
            step = replace(step, end=StepEnd.CUT_OFF)
        state.decide(decision, step)
        record = self._record(step, reading, turn, score)
        if isinstance(decision, Rewrite):
            writer.done = True
            return [state.drop(record, decision.trigger)]
        await self.ahead.drop_hedge()
        events += [*writer.show_rest(step), state.keep(record)]
        if step.end is StepEnd.END_OF_THINKING:
            events += state.begin_answer_in_stream(step.author, writer.cutter.remainder)
        elif (
            state.thinking_over
            or step.end in (StepEnd.END_OF_STREAM, StepEnd.CUT_OFF)
            or self.request_per_step
            or state.decision.author is not writer.author
        ):
            writer.done = True
        else:
            events.append(StepBegun(writer.author, state.trigger))
        self.ahead.step_stands(step.author)
        return events

    def _cut_off(self, writer: StretchWriter, turn: Turn) -> list[Event]:
        """Keep what there is of the step under way; no method is asked about it."""
        if writer.done:
            return []
        state = self.state
        open_steps = [] if writer.cutter.closed else writer.cutter.flush(StepEnd.CUT_OFF)
        if writer.undecided is not None:
            open_steps.insert(0, replace(writer.undecided, end=StepEnd.CUT_OFF))
        events: list[Event] = []
        for step in open_steps:
            state.decide(Write(step.author), step)
            record = self._record(step, state.run.read(Features(step)), turn)
            events += [*writer.show_rest(step), state.keep(record)]
        return events

    def _record(
        self, step: Step, reading: Reading, turn: Turn, score: float | None = None
    ) -> StepRecord:
        has_logprobs = self.pair.engine(step.author).capabilities.logprobs
        return self.state.record(step, reading, turn.index, score, has_logprobs=has_logprobs)

    async def _end_of_stream(self, writer: StretchWriter, turn: Turn) -> list[Event]:
        """The server ended the stream: the author ended its turn, or its context is full."""
        state = self.state
        if state.answer is not None:
            return ending.end_of_answer(state, turn.finish)
        context_full = turn.finish is Finish.LENGTH
        rest = writer.cutter.flush(StepEnd.CUT_OFF if context_full else StepEnd.END_OF_STREAM)
        events = await self._finish_all(rest, writer, turn)
        if context_full:
            state.trace.limit = state.trace.limit or "context"
        if not rest or isinstance(state.decision, Write):
            state.thinking_over = True
            if not context_full:
                events += ending.end_of_turn(state)
        return events
