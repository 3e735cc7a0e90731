"""A method at work on one run: every step is read once, and the method decides on the reading.

The same object decides in a live run, in a replay of a trace and in a study. It adds the one rule
that all methods share: thinking that goes round in circles is closed. Repeating steps (see
``repetition``) are counted until a standing step says something new; when they reach the limit,
the decision is :class:`Halt`, whatever the method would have done. A method may end the thinking
by its own rule too (``ends_with``), unless the step's author has just ended it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trigreason.reasoning.methods.base import Decision, Judge, Method, Reward, Rewrite, Write
from trigreason.reasoning.methods.registry import make_method
from trigreason.reasoning.reading import Features, Reader, Reading
from trigreason.reasoning.repetition import RepetitionGuard
from trigreason.reasoning.thresholds import Thresholds

REPETITION = "repetition"
"""The limit of a run that went round in circles."""

METHODS_END = "method"
"""The limit of a run whose thinking was ended by its method's own rule (``ends_with``)."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Close the thinking and ask for the answer; ``limit`` says why, as in ``Trace.limit``."""

    limit: str = REPETITION


class MethodRun:
    """Asks ``method`` for its decisions on the steps of one run."""

    def __init__(self, method: Method, thresholds: Thresholds) -> None:
        self.method = method
        self.guard = RepetitionGuard(thresholds.repeats)
        self._reader = Reader(thresholds)
        self._last_reading: Reading | None = None

    @classmethod
    def of(cls, name: str, thresholds: Thresholds) -> Self:
        """A run of the method called ``name``.

        Raises:
            ValueError: there is no such method, or a threshold is out of range.
        """
        return cls(make_method(name, thresholds), thresholds)

    def open(self) -> Write:
        """Begin a run; return who writes first."""
        self._reader.restart()
        return self.method.open()

    def read(self, features: Features) -> Reading:
        """Read the next step in the light of the standing ones; nothing is decided yet."""
        return self._reader.read(features)

    @property
    def glance(self) -> int:
        """After how many tokens of an SRM step :meth:`drops` is to be asked; 0 for never."""
        return self.method.glance

    def drops(self, features: Features) -> bool:
        """Whether the SRM step that begins like this is thrown away before it is finished."""
        return self.method.drops(features)

    def on_step(self, reading: Reading) -> Decision | Halt:
        """The decision after a finished step; ``Judge`` or ``Reward`` if a rating comes first."""
        self._last_reading = reading
        return self._settled(self.method.on_step(reading), reading)

    def on_score(self, score: float) -> Write | Rewrite | Halt:
        """The decision after the score, 0 to 9, of the last step given to ``on_step``."""
        return self._on_rating(self.method.on_score(score))

    def on_reward(self, reward: float) -> Write | Rewrite | Halt:
        """The decision after the reward, 0 to 1, of the last step given to ``on_step``."""
        return self._on_rating(self.method.on_reward(reward))

    def _on_rating(self, decision: Write | Rewrite) -> Write | Rewrite | Halt:
        assert self._last_reading is not None, "a rating is of a step that was asked about"
        settled = self._settled(decision, self._last_reading)
        assert not isinstance(settled, Judge | Reward), "a rating is answered with a decision"
        return settled

    def _settled(self, decision: Decision, reading: Reading) -> Decision | Halt:
        """Remember the step if it stands; halt if it is one repetition too many, or the last."""
        if not isinstance(decision, Write):
            return decision
        self._reader.keep(reading)
        if reading.repeated and self.guard.fires(reading.repeated):
            return Halt()
        if self.method.ends_with(reading) and not reading.features.ends_thinking:
            return Halt(METHODS_END)
        return decision
