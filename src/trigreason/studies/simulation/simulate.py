"""A recorded run under another deployment: the same steps by the same authors, on another clock.

The steps, their authors and the answer stay as they were recorded. From them follow the requests,
as :mod:`trigreason.running` would send them, and from the requests the seconds and the USD:

    stretch     a request by whoever writes; its tokens come at the server's rate whether or not
                anyone reads them, until it is closed
    score       a request of one token while the SRM's stream stays open and writes on
    draft       closes the SRM's stream; what came of it meanwhile is unused
    hedge       the LRM's rewrite, sent at the token with which the step's running ratio fires
    warm        a request of one token beside the SRM's writing
    answer      in the stream of whoever closed the thinking; else a request of its own

Tokens need no time to be cut into steps and decided on.
"""

from __future__ import annotations

from itertools import takewhile
from operator import eq

from trigreason.reasoning import (
    Author,
    Purpose,
    StepEnd,
    StepRecord,
    Trace,
    Trigger,
)
from trigreason.studies.simulation.ahead import SimulatedAhead
from trigreason.studies.simulation.deployment import Deployment
from trigreason.studies.simulation.lengths import PromptLengths
from trigreason.studies.simulation.simulated import Simulated
from trigreason.studies.simulation.stream import Stream
from trigreason.studies.simulation.wire import Wire

_BROKEN = (StepEnd.END_OF_STREAM, StepEnd.CUT_OFF)
_STOP_TOKENS = 1
"""Of the blank line behind ``</think>``, at which a server stops that was to end a step."""


def simulate(trace: Trace, deployment: Deployment) -> Simulated:
    """The run of ``trace`` under ``deployment``, from an empty cache and with no failure.

    Raises:
        ValueError: no recorded request says how long its prompt was.
    """
    walk = _Walk(trace, deployment)
    for index in range(len(trace.steps)):
        walk.step(index)
    walk.answer()
    return walk.end()


class _Walk:
    """Goes over the steps once; ``clock`` is in seconds from the run's beginning."""

    def __init__(self, trace: Trace, deployment: Deployment) -> None:
        self.trace = trace
        self.deployment = deployment
        self.lengths = PromptLengths(trace)
        self.wire = Wire(deployment)
        self.ahead = SimulatedAhead(trace, self.lengths, self.wire)
        self.clock = 0.0
        self.waiting = dict.fromkeys(Author, 0.0)
        self.stream: Stream | None = None
        self.owed: int | None = None

    def step(self, index: int) -> None:
        """A step is written, judged where it was, and stands or is dropped."""
        record = self.trace.steps[index]
        self.owed = self._owed(index)
        stream = self._stream_of(index)
        self.ahead.look_at(index, stream)
        self._hear(stream, record.tokens)
        if record.score is not None:
            self._judge(index)
        if record.standing:
            self._stands(index)

    def answer(self) -> None:
        """The answer, in the open stream where that closed the thinking, and else asked for."""
        left = dict(self.trace.answer_by)
        last = self.trace.standing[-1] if self.trace.standing else None
        if self.stream and last and last.end is StepEnd.END_OF_THINKING:
            tokens = left.pop(last.author, 0)
            stopped = tokens if self.stream.limit is None else min(tokens, _STOP_TOKENS)
            self.stream.limit = self.stream.used + stopped
            self._hear(self.stream, stopped)
            if stopped < tokens:
                self._ask_on(last.author, tokens - stopped, Purpose.WRITE, last.trigger)
        for author, tokens in left.items():
            if tokens:  # else the answer stands in the thinking
                self._ask_on(author, tokens, Purpose.ANSWER)

    def end(self) -> Simulated:
        self._close()
        self.ahead.close(self.clock)
        requests = self.wire.requests
        usd = dict.fromkeys(Author, 0.0)
        for each in requests:
            usd[each.author] += self.deployment.server(each.author).usd(each)
        return Simulated(seconds=self.clock, requests=requests, waiting=self.waiting, usd=usd)

    def _owed(self, index: int) -> int | None:
        """How many steps the LRM is to write from here on; None until told otherwise."""
        steps = self.trace.steps
        trigger = steps[index].trigger
        if steps[index].author is Author.SRM or trigger is None:
            return None
        if index and steps[index - 1].author is Author.LRM and self.owed is not None:
            return self.owed - 1
        return _steps_of(trigger, self.trace)

    def _stream_of(self, index: int) -> Stream:
        """The stream that goes on with the step; a new one closes the last."""
        if self.stream is not None and not self._needs_request(index):
            return self.stream
        self._close()
        record = self.trace.steps[index]
        is_rewrite = record.trigger is Trigger.COGNITIVE_OFFLOAD
        hedge = self.ahead.take_hedge() if is_rewrite else None
        self.stream = hedge or self._ask_for_step(index)
        self._wait_for(self.stream)
        return self.stream

    def _needs_request(self, index: int) -> bool:
        before = self.trace.steps[index - 1]
        return (
            self.deployment.request_per_step
            or not before.standing
            or before.end in _BROKEN
            or before.author is not self.trace.steps[index].author
        )

    def _ask_for_step(self, index: int) -> Stream:
        record = self.trace.steps[index]
        author = record.author
        ends_by_itself = self.owed == 1 and self.deployment.server(author).bills_closed_streams
        stream = self.wire.send(
            author,
            self.lengths.write(author, index),
            self.clock,
            Purpose.WRITE,
            trigger=record.trigger,
            limit=record.tokens if ends_by_itself else None,
        )
        self.wire.knows(author, self.lengths.thinking(author, index))
        return stream

    def _ask_on(
        self, author: Author, tokens: int, purpose: Purpose, trigger: Trigger | None = None
    ) -> None:
        """Ask for (the rest of) the answer."""
        self._close()
        prompt = self.lengths.answer(author)
        self.stream = self.wire.send(
            author, prompt, self.clock, purpose, trigger=trigger, limit=tokens
        )
        self._wait_for(self.stream)
        self._hear(self.stream, tokens)

    def _judge(self, index: int) -> None:
        """The LRM scores the step; what was judged is known to it, as far as it stands."""
        record = self.trace.steps[index]
        prompt = self.lengths.judge(Author.LRM, index, record.tokens)
        request = self.wire.send(Author.LRM, prompt, self.clock, Purpose.JUDGE, limit=1)
        self.wire.knows(Author.LRM, self.lengths.thinking(Author.LRM, index + record.standing))
        self._wait_for(request)
        self._hear(request, 1)
        self.wire.close(request, self.clock)

    def _stands(self, index: int) -> None:
        steps, author = self.trace.steps, self.trace.steps[index].author
        before, behind = (self.lengths.thinking(author, each) for each in (index, index + 1))
        self.wire.knows(author, behind)
        if index and not steps[index - 1].standing:
            draft = steps[index - 1]
            before, behind = (self.lengths.thinking(draft.author, i) for i in (index, index + 1))
            common = _tokens_in_common(draft, steps[index])
            self.wire.knows(draft.author, min(before + common, behind))
        self.ahead.step_stands(index, self.clock)

    def _wait_for(self, stream: Stream) -> None:
        """Stand still until the stream's first token."""
        if stream.first > self.clock:
            self.waiting[stream.author] += stream.first - self.clock
            self.clock = stream.first

    def _hear(self, stream: Stream, tokens: int) -> None:
        """Read so many tokens more, each as soon as it is here."""
        stream.used += tokens
        self.clock = max(self.clock, stream.arrival(stream.used - 1))

    def _close(self) -> None:
        if self.stream is not None:
            self.wire.close(self.stream, self.clock)
            self.stream = None


def _steps_of(trigger: Trigger, trace: Trace) -> int:
    """For how many steps a trigger hands over."""
    match trigger:
        case Trigger.STRATEGIC_PRIMING:
            judged = trace.method == "specreason"
            return trace.thresholds.judge_first if judged else trace.thresholds.n
        case Trigger.INTERVENTION_REQUEST:
            return trace.thresholds.m
        case Trigger.REPETITION:
            return max(1, trace.thresholds.m)
        case _:
            return 1


def _tokens_in_common(draft: StepRecord, rewrite: StepRecord) -> int:
    """The draft's tokens with which the rewrite begins as well."""
    if not draft.text:
        return 0
    alike = sum(1 for _ in takewhile(bool, map(eq, draft.text, rewrite.text)))
    return draft.tokens * alike // len(draft.text)
