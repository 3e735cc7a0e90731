"""Accuracy and SMT of every arm, and what the methods keep of the LRM's accuracy.

Figures 4 to 7 and Table 1 are all made of these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import SHARES, Estimate, mean_of, paired, pass_at_1
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Made, Recorded, Work
from trigreason.reasoning.methods import method_title
from trigreason.studies.shares import ratio_of_means

LRM_ONLY = method_title("lrm")
COMPARED = (method_title("specreason"), method_title("trigreason"))


def accuracy(work: Work) -> Made:
    """Accuracy and SMT of each arm; against LRM only where it is one of them."""
    rows: list[MeasuredNumber] = []
    for arms in work.grouped().values():
        for each in arms.values():
            rows += accuracy_and_smt(each)
        if work.item.kind != "sweep":
            rows += against_lrm(arms)
    return Made(rows=rows)


def accuracy_and_smt(each: Recorded) -> Iterator[MeasuredNumber]:
    """Pass@1 and SMT of one arm, intervals clustered by question.

    Raises:
        ValueError: no run of the arm was scored.
    """
    yield each.row("accuracy", pass_at_1(outcomes(each)))
    if shares := each.samples(lambda run: run.trace.smt):
        yield each.row("smt", mean_of(shares).clipped(*SHARES))


def outcomes(each: Recorded) -> dict[str, list[float]]:
    """By question, 1 for each right answer and 0 for each wrong one."""
    return each.samples(_outcome)


def against_lrm(arms: Mapping[str, Recorded]) -> Iterator[MeasuredNumber]:
    """Share of the LRM's accuracy that is kept, and the paired difference from it."""
    lrm = arms.get(LRM_ONLY)
    if lrm is None:
        return
    reference = outcomes(lrm)
    for label in COMPARED:
        if label in arms:
            own = outcomes(arms[label])
            if any(map(sum, reference.values())):
                yield arms[label].row(
                    "accuracy_vs_lrm", ratio_of_means(own, reference).clipped(0, inf)
                )
            difference = paired(own, reference, within=SHARES)
            estimate = Estimate(
                difference.value,
                difference.low,
                difference.high,
                difference.questions,
                sum(map(len, own.values())),
            )
            yield arms[label].row("accuracy_minus_lrm", estimate)


def _outcome(run: Run) -> float | None:
    return None if run.right is None else float(run.right)
