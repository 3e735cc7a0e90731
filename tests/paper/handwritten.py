"""Runs written by hand, whose numbers can be told by looking."""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.runs import Run
from trigreason.paper.item import PlannedArm
from trigreason.paper.work import Recorded
from trigreason.reasoning import (
    Author,
    Message,
    Purpose,
    StepEnd,
    StepRecord,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
)
from trigreason.reasoning.methods import method_title
from trigreason.studies.judging import Trajectory

SURE, UNSURE = -0.01, -1.0
"""Logprobs on either side of tau = 1.05."""


def step(
    author: str,
    text: str = "so on.\n\n",
    *,
    tokens: int = 4,
    trigger: Trigger | None = None,
    sure: int | None = None,
    score: float | None = None,
    standing: bool = True,
) -> StepRecord:
    """A step of so many tokens, ``sure`` of them certain."""
    certain = tokens if sure is None else sure
    return StepRecord(
        author=Author(author),
        text=text,
        tokens=tokens,
        end=StepEnd.BLANK_LINE,
        stretch=0,
        trigger=trigger,
        logprobs=tuple([SURE] * certain + [UNSURE] * (tokens - certain)),
        score=score,
        standing=standing,
    )


def run(
    sample: str,
    steps: Sequence[StepRecord],
    *,
    right: bool | None = True,
    epoch: int = 1,
    method: str = "trigreason",
    seconds: float = 1.0,
) -> Run:
    """A run of these steps, in one request per author."""
    trace = Trace(
        method=method,
        thresholds=Thresholds(),
        messages=(Message("user", f"question {sample}"),),
        models={},
        steps=list(steps),
        stretches=[
            Stretch(
                author,
                Purpose.WRITE,
                prompt_tokens=10,
                completion_tokens=sum(each.tokens for each in steps if each.author is author),
            )
            for author in Author
            if any(each.author is author for each in steps)
        ],
        seconds=seconds,
    )
    return Run(trace=trace, task="task", sample=sample, epoch=epoch, right=right, pair="pair")


def recorded(
    runs: Sequence[Run], method: str = "trigreason", label: str = "", **changes: float
) -> Recorded:
    """Runs of one arm."""
    return Recorded(
        pair="pair",
        task="task",
        planned=PlannedArm(label=label or method_title(method), method=method),
        arm=Arm(method=method, thresholds=Thresholds.from_json(changes)),
        runs=runs,
    )


class ScriptedJudges:
    """A double of the judges: everyone gives a step the digit that its text ends with."""

    def __init__(self, names: Sequence[str] = ("the LRM",)) -> None:
        self.names = names
        self.asked: list[Trajectory] = []

    def judges(self) -> Sequence[str]:
        return self.names

    def lrm(self, pair: str) -> str:
        return self.names[0]

    def scores(self, judge: str, trajectories: Sequence[Trajectory]) -> list[list[float | None]]:
        self.asked += trajectories
        return [[_digit(text) for text in each.steps] for each in trajectories]


def _digit(text: str) -> float | None:
    last = text.strip()[-1]
    return float(last) if last.isdigit() else None
