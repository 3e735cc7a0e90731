"""The baseline SpecReason (arXiv 2504.07891): the LRM scores every step of the SRM."""

from __future__ import annotations

from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import SRM_WRITES, Judge, Method, Rewrite, Write, rest_of
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import JudgeRejection, StrategicPriming, Trigger


@dataclass(slots=True, kw_only=True)
class SpecReason(Method):
    """The LRM rewrites the steps it scores low, and may write the first ``priming.n`` steps.

    A blank step is not scored.
    """

    rejection: JudgeRejection = field(default_factory=JudgeRejection)
    priming: StrategicPriming = field(default_factory=lambda: StrategicPriming(0))
    _owed: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._owed = self.priming.n
        if not self._owed:
            return SRM_WRITES
        return Write(Author.LRM, self._owed, Trigger.STRATEGIC_PRIMING)

    def on_step(self, reading: Reading) -> Write | Judge:
        if reading.author is Author.LRM:
            self._owed -= 1
            return rest_of(self._owed)
        return SRM_WRITES if reading.is_blank else Judge(Author.LRM)

    def on_score(self, score: float) -> Write | Rewrite:
        if not self.rejection.fires(score):
            return SRM_WRITES
        self._owed = 1
        return Rewrite(Author.LRM, Trigger.JUDGE_REJECTION)

    @property
    def revises(self) -> bool:
        return True
