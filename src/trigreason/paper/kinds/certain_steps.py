"""Tables 4 and 5: the steps with the highest low-perplexity ratios, in wrong trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Estimate
from trigreason.paper.kinds.overconfidence import ratios
from trigreason.paper.result import MeasuredNumber, ShownTable
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Thresholds
from trigreason.studies.checking import checked_steps

SHOWN = 12
"""Steps that are shown; the paper's two tables have as many."""

LEAST_TOKENS = 10
"""Shorter steps ("So:") are left out: all of their few tokens are easily certain."""


class CertainStep(NamedTuple):
    """An SRM step of a wrong trajectory; ``is_right`` is None where nothing checks it."""

    run: Run
    at: int
    ratio: float
    is_right: bool | None

    @property
    def text(self) -> str:
        return self.run.trace.steps[self.at].text.strip()

    @property
    def place(self) -> str:
        return f"question {self.run.sample}, answer {self.run.epoch}, step {self.at + 1}"


def certain_steps(work: Work) -> Numbers:
    """The highest ratios r (eq. 4) among the steps of the SRM's wrong trajectories.

    Raises:
        ValueError: no step of a wrong trajectory has logprobs.
    """
    tau = Thresholds.from_json(work.setting.thresholds).tau
    rows: list[MeasuredNumber] = []
    tables: list[ShownTable] = []
    notes: list[str] = [f"r is the share of tokens with PPL < {tau:g}."]
    for recorded in work.recorded:
        wrong = [run for run in recorded.runs if run.right is False]
        steps = highest(wrong, tau)
        if not steps:
            raise ValueError(
                f"no wrong trajectory of {recorded.pair}'s SRM on {recorded.task} has a step of "
                f"{LEAST_TOKENS} tokens with probabilities; raise --limit, or serve the SRM with "
                "logprobs"
            )
        rows += [_row(recorded, step) for step in steps]
        tables.append(_table(recorded, steps))
        notes.append(
            f"{recorded.pair}, {recorded.task}: the {len(steps)} highest ratios in {len(wrong)} "
            f"wrong trajectories, of steps of at least {LEAST_TOKENS} tokens, equal texts once."
        )
    return Numbers(rows=rows, notes=notes, tables=tables)


def highest(wrong: list[Run], tau: float) -> list[CertainStep]:
    """The ``SHOWN`` highest ratios, of equal ones the longer steps first; no text comes twice."""
    found: dict[str, CertainStep] = {}
    ranked = sorted(
        (step for run in wrong for step in _steps(run, tau)),
        key=lambda step: (-step.ratio, -step.run.trace.steps[step.at].tokens),
    )
    for step in ranked:
        found.setdefault(step.text, step)
    return list(found.values())[:SHOWN]


def _steps(run: Run, tau: float) -> Iterator[CertainStep]:
    labels = checked_steps(run)
    for index, ratio in ratios(run.trace, tau):
        if ratio is not None and run.trace.steps[index].tokens >= LEAST_TOKENS:
            yield CertainStep(run, index, ratio, labels[index])


def _row(recorded: Recorded, step: CertainStep) -> MeasuredNumber:
    unknown = Estimate(step.ratio, float("-inf"), float("inf"), 1, 1)
    return recorded.row("ratio", unknown, arm=step.place, method="")


def _table(recorded: Recorded, steps: list[CertainStep]) -> ShownTable:
    verdicts = {True: "right", False: "wrong", None: "not checked"}
    return ShownTable(
        f"{recorded.pair}, {recorded.task}: the steps",
        ("where", "r", "the step is", "step"),
        [(step.place, f"{step.ratio:.3f}", verdicts[step.is_right], step.text) for step in steps],
    )
