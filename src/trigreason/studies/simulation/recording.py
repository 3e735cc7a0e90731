"""A recorded run as a script, which says what the loop does next.

The loop writes a new trace, ``made``, whose number of steps says how far the script is.
"""

from __future__ import annotations

from dataclasses import replace

from trigreason.budget import Budget
from trigreason.reasoning import (
    Author,
    Features,
    Halt,
    Judge,
    MethodRun,
    Reading,
    Rewrite,
    Trace,
    Trigger,
    Write,
    make_method,
)

UNLIMITED = 2**62
"""Tokens; no run spends such a budget."""


class Recording:
    """A recorded run (``trace``), and the simulated run that is ``made`` from it."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.made = replace(
            trace,
            steps=[],
            stretches=[],
            answer="",
            answer_by={},
            degraded=None,
            stop=None,
            limit=None,
        )

    @property
    def index(self) -> int:
        """The index of the recorded step that is next, or under way."""
        return len(self.made.steps)

    @property
    def is_told(self) -> bool:
        """Whether every recorded step is made, and no answer was recorded that would follow."""
        return self.index >= len(self.trace.steps) and not self.trace.answer_tokens

    def answer_tokens(self, author: Author) -> int:
        """How many tokens of the answer ``author`` still has to write."""
        return self.trace.answer_by.get(author, 0) - self.made.answer_by.get(author, 0)

    def is_away(self, author: Author, index: int) -> bool:
        """Whether ``author``'s model had failed for good before the step ``index``."""
        away = self.trace.degraded
        return away is not None and away.author is author and index >= away.step

    @property
    def budget(self) -> Budget:
        """Only the limit that ended the recorded thinking, if one did."""
        trace = self.trace
        is_cut = trace.limit == "thinking_tokens"
        return Budget(
            thinking_tokens=max(1, trace.thinking_tokens) if is_cut else UNLIMITED,
            steps=max(1, len(trace.standing)) if trace.limit == "steps" else None,
            answer_tokens=UNLIMITED,
            step_tokens=UNLIMITED,
        )


class RecordedRun(MethodRun):
    """Repeats the recorded decisions, whatever the steps show."""

    def __init__(self, recording: Recording) -> None:
        trace = recording.trace
        method = make_method(trace.method, trace.thresholds)
        super().__init__(method, replace(trace.thresholds, repeats=0))
        self._recording = recording

    def open(self) -> Write:
        return self._write(0)

    def read(self, features: Features) -> Reading:
        return Reading(features.author, False, None, (), False, 0, "", features)

    @property
    def glance(self) -> int:
        return 0  # the record says which steps were thrown away, and when

    def on_step(self, reading: Reading) -> Write | Rewrite | Judge | Halt:
        record = self._recording.trace.steps[self._recording.index]
        return self._after() if record.score is None else Judge(Author.LRM)

    def on_score(self, score: float) -> Write | Rewrite | Halt:
        return self._after()

    def _after(self) -> Write | Rewrite | Halt:
        steps, index = self._recording.trace.steps, self._recording.index
        is_last = index + 1 == len(steps)
        if not steps[index].standing:
            trigger = None if is_last else steps[index + 1].trigger
            return Rewrite(Author.LRM, trigger or Trigger.COGNITIVE_OFFLOAD)
        return Halt() if is_last else self._write(index + 1)

    def _write(self, index: int) -> Write:
        trace = self._recording.trace
        if index == len(trace.steps):
            return Write(trace.answer_author or min(self.method.authors))
        record = trace.steps[index]
        if record.author is Author.SRM or record.trigger is None:
            return Write(record.author, trigger=record.trigger)
        first = index
        while first and trace.steps[first - 1].author is Author.LRM:
            first -= 1
        left = (trace.handed_over(first) or 1) - (index - first)
        return Write(Author.LRM, max(1, left), record.trigger)
