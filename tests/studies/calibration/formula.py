"""A double of a pair whose accuracy and SMT follow formulas: searches in milliseconds.

What it answers has the form of real runs; ``tests/cli/test_calibrate.py`` searches with the real
bundled pair.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.lanes import Lanes
from trigreason.evaluation.questions import Question
from trigreason.reasoning import (
    Author,
    Direction,
    Message,
    Purpose,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Trace,
)
from trigreason.studies.calibration.experiment import Conditions
from trigreason.studies.calibration.setting import Setting

STEPS = 10
TOKENS = 10


def questions(count: int, groups: int = 2) -> list[Question]:
    return [
        Question(
            id=str(number),
            prompt=f"How much is {number}?",
            target=str(number),
            group=f"group {number % groups}",
            kind=AnswerKind.INTEGER,
        )
        for number in range(count)
    ]


def conditions(**changes: object) -> Conditions:
    told = {"pair": "formula", "sampling": Sampling(), "budget": Budget(), **changes}
    return Conditions(**told)  # type: ignore[arg-type]  # a test's own changes


@dataclass
class FormulaLanes(Lanes):
    """The double. Uncertain steps are wrong, and the more of them the LRM writes, the better."""

    asked: list[tuple[Setting, str]] = field(default_factory=list)
    broken: Exception | None = None

    def __post_init__(self) -> None:
        """No models: nothing of the real one's is set up."""

    async def answer(self, messages: tuple[Message, ...], arm: Arm, seed: int) -> Trace:
        if self.broken:
            raise self.broken
        setting = Setting(arm.method, arm.thresholds)
        self.asked.append((setting, messages[-1].content))
        number = messages[-1].content.split()[-1].rstrip("?")
        draw = random.Random(f"{number}/{seed}")
        trace = Trace(arm.method, arm.thresholds, messages, {}, stop=StopReason.COMPLETE)
        is_right = True
        for position in range(STEPS):
            certain = draw.randrange(TOKENS + 1)
            by_lrm = self._by_lrm(setting, position, certain / TOKENS)
            is_right &= by_lrm or certain > 2
            author = Author.LRM if by_lrm else Author.SRM
            logprobs = (-0.001,) * certain + (-1.0,) * (TOKENS - certain)
            text = f"{number} {position}\n\n"
            step = StepRecord(author, text, TOKENS, StepEnd.BLANK_LINE, 0, logprobs=logprobs)
            trace.steps.append(step)
        trace.stretches.append(Stretch(Author.SRM, Purpose.WRITE))
        trace.answer = rf"\boxed{{{number}}}" if is_right else r"\boxed{-1}"
        return trace

    @staticmethod
    def _by_lrm(setting: Setting, position: int, ratio: float) -> bool:
        given = setting.thresholds
        if setting.method != "trigreason":
            return setting.method == "lrm"
        over = given.direction is Direction.OVER
        fires = given.rho < 1 and (ratio > given.rho if over else ratio < given.rho)
        return position < given.n or fires
