"""What is asked of the LRM ahead of its need, on a simulated clock (see ``running.ahead``)."""

from __future__ import annotations

from trigreason.hiding import Hiding
from trigreason.reasoning import (
    Author,
    Purpose,
    StepEnd,
    Trace,
    Trigger,
    low_perplexity_ratio,
    make_method,
)
from trigreason.studies.simulation.lengths import PromptLengths
from trigreason.studies.simulation.stream import Stream
from trigreason.studies.simulation.wire import Wire


class SimulatedAhead:
    """One run's hedges and warming requests; moments are seconds from its beginning."""

    def __init__(self, trace: Trace, lengths: PromptLengths, wire: Wire) -> None:
        self._trace = trace
        self._lengths = lengths
        self._wire = wire
        self._hiding: Hiding = wire.deployment.hiding
        self._method = make_method(trace.method, trace.thresholds)
        self._hedge: Stream | None = None
        self._warmed: list[Stream] = []
        self._read_at = 0.0
        self._unread = 0

    def look_at(self, index: int, stream: Stream) -> None:
        """Begin the LRM's rewrite of an SRM step, at the token with which it would fire.

        ``stream`` is what brings the step, and has used no token of it yet.
        """
        record, hiding = self._trace.steps[index], self._hiding
        if not hiding.hedge or record.author is Author.LRM:
            return
        tau = self._trace.thresholds.tau
        for count in range(hiding.hedge_tokens, len(record.logprobs)):
            if self._method.would_rewrite(low_perplexity_ratio(record.logprobs[:count], tau)):
                self._hedge = self._begin_hedge(index, stream.arrival(stream.used + count - 1))
                return

    def take_hedge(self) -> Stream | None:
        """The rewrite that was begun, for the LRM's turn that now wants it."""
        hedge, self._hedge = self._hedge, None
        if hedge is not None:
            hedge.purpose = Purpose.WRITE
        return hedge

    def step_stands(self, index: int, clock: float) -> None:
        """Drop the rewrite, and have the LRM read what it does not know yet, where that is due."""
        self._drop_hedge(clock)
        steps = self._trace.steps
        if steps[index].author is Author.LRM:
            self._has_read(clock)
            return
        self._unread += steps[index].tokens
        is_last = index + 1 == len(steps)
        if is_last or steps[index + 1].author is Author.LRM:
            return
        if Author.LRM in self._method.authors and self._is_due(clock):
            self._warm(index + 1, clock)

    def close(self, clock: float) -> None:
        """The run is over."""
        self._drop_hedge(clock)
        for request in self._warmed:
            self._wire.close(request, min(request.first, clock))

    def _begin_hedge(self, index: int, moment: float) -> Stream:
        """How long it gets is known where it is needed; elsewhere it is taken to match the step."""
        steps = self._trace.steps
        is_needed = not steps[index].standing and index + 1 < len(steps)
        written = steps[index + 1] if is_needed else steps[index]
        goes_on = (
            written.end is StepEnd.END_OF_THINKING
            and not self._wire.deployment.lrm.bills_closed_streams
        )
        hedge = self._wire.send(
            Author.LRM,
            self._lengths.write(Author.LRM, index + is_needed),
            moment,
            Purpose.HEDGE,
            trigger=Trigger.COGNITIVE_OFFLOAD,
            limit=None if goes_on else written.tokens,
        )
        self._wire.knows(Author.LRM, self._lengths.thinking(Author.LRM, index))
        return hedge

    def _drop_hedge(self, clock: float) -> None:
        if self._hedge is not None:
            self._wire.close(self._hedge, clock)
            self._hedge = None

    def _is_due(self, clock: float) -> bool:
        if self._warmed and clock < self._warmed[-1].first:
            return False
        seconds, tokens = self._hiding.warm_seconds, self._hiding.warm_tokens
        by_clock = seconds is not None and clock - self._read_at >= seconds
        return by_clock or (tokens is not None and self._unread >= tokens)

    def _has_read(self, clock: float) -> None:
        self._read_at = clock
        self._unread = 0

    def _warm(self, index: int, clock: float) -> None:
        """The LRM reads the thinking before step ``index``; its token is thrown away."""
        prompt = self._lengths.thinking(Author.LRM, index)
        request = self._wire.send(Author.LRM, prompt, clock, Purpose.WARM, limit=1)
        self._wire.knows(Author.LRM, prompt)
        self._warmed.append(request)
        self._has_read(clock)
