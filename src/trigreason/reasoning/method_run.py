"""A method at work on one run: every step is read once, and the method decides on the reading.

The same object decides live, over a recorded trace and in a study of one. It adds the one rule
that all methods share: a thinking that goes round in circles is closed. Steps that repeat (see
``repetition``) are counted until one that stands says something new; the last of too many is
answered with :class:`Halt`, whatever the method would have done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trigreason.reasoning.methods.base import Decision, Judge, Method, Rewrite, Write
from trigreason.reasoning.methods.registry import make_method
from trigreason.reasoning.reading import Features, Reader, Reading
from trigreason.reasoning.repetition import RepetitionGuard
from trigreason.reasoning.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Halt:
    """The thinking goes round in circles: it is closed, and the answer asked for."""


class MethodRun:
    """Puts the steps of one run to ``method``."""

    def __init__(self, method: Method, thresholds: Thresholds) -> None:
        self.method = method
        self.guard = RepetitionGuard(thresholds.repeats)
        self._reader = Reader(thresholds)
        self._asked: Reading | None = None

    @classmethod
    def of(cls, name: str, thresholds: Thresholds) -> Self:
        """A run of the method called ``name``.

        Raises:
            ValueError: there is no such method, or a threshold is out of range.
        """
        return cls(make_method(name, thresholds), thresholds)

    def open(self) -> Write:
        """A run begins: who writes first."""
        self._reader.restart()
        return self.method.open()

    def read(self, features: Features) -> Reading:
        """What a step shows where the run has come to; nothing is decided yet."""
        return self._reader.read(features)

    def on_step(self, reading: Reading) -> Decision | Halt:
        """What follows a finished step; where the method wants a score of it first, that."""
        self._asked = reading
        return self._settled(self.method.on_step(reading), reading)

    def on_score(self, score: float) -> Write | Rewrite | Halt:
        """What follows the step that was to be scored, 0 to 9."""
        assert self._asked is not None, "a score is of a step that was asked about"
        decision = self._settled(self.method.on_score(score), self._asked)
        assert not isinstance(decision, Judge), "a score is answered with a decision"
        return decision

    def _settled(self, decision: Decision, reading: Reading) -> Decision | Halt:
        """The decision; where the step stands it is remembered, and may be one too many."""
        if not isinstance(decision, Write):
            return decision
        self._reader.keep(reading)
        return Halt() if self.guard.fires(reading.repeated) else decision
