"""The baseline SpecReason (arXiv 2504.07891): the LRM scores every step of the SRM.

Its public script (github.com/ruipeterpan/specreason, ``spec_reason.py``) knows no end of thinking:
it stops after a step that states an answer, or that is the same as the step before it from the
third step on. ``script_stop`` does the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import SRM_WRITES, Judge, Method, Rewrite, Write, rest_of
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import JudgeRejection, StrategicPriming, Trigger

STATES_AN_ANSWER = ("boxed", "Answer:", "ANSWER:")
"""A step with one of these is the script's last one."""

COMPARED_FROM = 3
"""From this step on, the script stops after two equal steps in a row."""


@dataclass(slots=True, kw_only=True)
class SpecReason(Method):
    """The LRM rewrites the steps it scores low, and may write the first ``priming.n`` steps.

    A blank step is not scored. With ``script_stop`` the thinking ends as in the script.
    """

    rejection: JudgeRejection = field(default_factory=JudgeRejection)
    priming: StrategicPriming = field(default_factory=lambda: StrategicPriming(0))
    script_stop: bool = False
    _owed: int = field(default=0, init=False, repr=False, compare=False)
    _standing: int = field(default=0, init=False, repr=False, compare=False)
    _last: str = field(default="", init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._owed = self.priming.n
        self._standing, self._last = 0, ""
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

    def ends_with(self, reading: Reading) -> bool:
        if not self.script_stop or reading.is_blank:
            return False
        said = reading.features.text.strip()
        last, self._last = self._last, said
        self._standing += 1
        is_same = self._standing >= COMPARED_FROM and said == last
        return is_same or any(mark in said for mark in STATES_AN_ANSWER)

    @property
    def revises(self) -> bool:
        return True
