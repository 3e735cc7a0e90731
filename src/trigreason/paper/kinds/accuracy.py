"""Accuracy and SMT of every arm, and the methods' accuracy relative to the LRM's.

Figures 4 to 7 and Table 1 consist of these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import SHARES, Estimate, mean_of, paired, pass_at_1
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning.methods import method_title
from trigreason.studies.shares import ratio_of_means

LRM_ONLY = method_title("lrm")
SPECREASON, TRIGREASON = method_title("specreason"), method_title("trigreason")
COMPARED = (SPECREASON, TRIGREASON)


def accuracy(work: Work) -> Numbers:
    """Accuracy and SMT of each arm, and relative to LRM only if that is an arm."""
    rows: list[MeasuredNumber] = []
    for arms in work.grouped().values():
        for recorded in arms.values():
            rows += accuracy_and_smt(recorded)
        if work.item.kind != "sweep":
            rows += _against_lrm(arms)
        if work.item.kind == "plane":
            rows += _against_specreason(arms)
    return Numbers(rows=rows)


def accuracy_and_smt(recorded: Recorded) -> Iterator[MeasuredNumber]:
    """Pass@1 and SMT of one arm, intervals clustered by question.

    Raises:
        ValueError: no run of the arm was scored.
    """
    yield recorded.row("accuracy", pass_at_1(outcomes(recorded)))
    if shares := recorded.samples(lambda run: run.trace.smt):
        yield recorded.row("smt", mean_of(shares).clipped(*SHARES))


def outcomes(recorded: Recorded) -> dict[str, list[float]]:
    """By question, a 1 per right answer and a 0 per wrong one."""
    return recorded.samples(_outcome)


def _against_lrm(arms: Mapping[str, Recorded]) -> Iterator[MeasuredNumber]:
    """The methods' share of the LRM's accuracy, and their paired difference from it."""
    lrm = arms.get(LRM_ONLY)
    if lrm is None:
        return
    reference = outcomes(lrm)
    for label in COMPARED:
        if label in arms:
            outcome = outcomes(arms[label])
            if any(map(sum, reference.values())):
                yield arms[label].row(
                    "accuracy_vs_lrm", ratio_of_means(outcome, reference).clipped(0, inf)
                )
            difference = paired(outcome, reference, within=SHARES)
            estimate = Estimate(
                difference.value,
                difference.low,
                difference.high,
                difference.questions,
                sum(map(len, outcome.values())),
            )
            yield arms[label].row("accuracy_minus_lrm", estimate)


def _against_specreason(arms: Mapping[str, Recorded]) -> Iterator[MeasuredNumber]:
    """How many times SpecReason's SMT the SMT of TrigReason is."""
    if SPECREASON in arms and TRIGREASON in arms:
        ours, theirs = (
            arms[label].samples(lambda run: run.trace.smt) for label in (TRIGREASON, SPECREASON)
        )
        if any(map(sum, theirs.values())):
            ratio = ratio_of_means(ours, theirs).clipped(0, inf)
            yield arms[TRIGREASON].row("smt_vs_specreason", ratio)


def _outcome(run: Run) -> float | None:
    return None if run.right is None else float(run.right)
