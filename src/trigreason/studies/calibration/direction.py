"""Which side of ρ marks errors, according to runs with known outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Direction, low_perplexity_ratio
from trigreason.studies.auc import Auc, auc
from trigreason.studies.signals import is_solo


def evidence(runs: Sequence[Run], tau: float, seed: int) -> Auc | None:
    """How well the mean low-perplexity ratio of a run's steps tells wrong runs from right ones.

    Only scored runs that the SRM wrote alone count: in others the LRM influenced the outcome.
    Runs are compared within their group of questions.
    None where too few of them are wrong, or right.
    """
    seen = [
        (ratio, not run.right, run.question, run.group)
        for run in runs
        if run.right is not None and is_solo(run) and (ratio := mean_ratio(run, tau)) is not None
    ]
    if not seen:
        return None
    ratios, wrong, questions, groups = zip(*seen, strict=True)
    return auc(ratios, wrong, questions, groups, seed=seed)


def supported(found: Auc) -> Direction | None:
    """The direction that the whole interval supports; None where it includes chance."""
    if found.high_marks_errors is None:
        return None
    return Direction.OVER if found.high_marks_errors else Direction.UNDER


def mean_ratio(run: Run, tau: float) -> float | None:
    """The mean over the SRM's steps of r_s (eq. 4); None where no token has a probability."""
    ratios = (
        low_perplexity_ratio(step.logprobs, tau)
        for step in run.trace.steps
        if step.author is Author.SRM and step.text.strip()
    )
    known = [ratio for ratio in ratios if ratio is not None]
    return fmean(known) if known else None
