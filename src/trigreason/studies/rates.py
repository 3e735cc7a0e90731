"""Error rates with intervals: along a signal, and where a rule fires against where it does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trigreason.evaluation.statistics import Estimate
from trigreason.studies.shares import pooled

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Entries whose signal lies from ``low`` to ``high``, with ``mean``; and how many are wrong."""

    low: float
    high: float
    mean: float
    error: Estimate


def error_rate(wrong: Sequence[bool], questions: Sequence[str]) -> Estimate | None:
    """The share of wrong ones, its interval clustered by question; None of nothing."""
    counts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for is_wrong, question in zip(wrong, questions, strict=True):
        counts[question].append((float(is_wrong), 1.0))
    return pooled(counts) if counts else None


@dataclass(frozen=True, slots=True)
class Marked:
    """What a rule marks: ``share`` of all, and the error rates of those and of the others.

    A rate is None where there is nothing that it would be of.
    """

    share: Estimate
    marked: Estimate | None
    others: Estimate | None


def marked_rates(marks: Sequence[bool], wrong: Sequence[bool], questions: Sequence[str]) -> Marked:
    """The error rates on either side of a rule; there must be at least one entry."""
    share = error_rate(marks, questions)
    assert share is not None, "there is something to mark"

    def rate(side: bool) -> Estimate | None:
        inside = [at for at, each in enumerate(marks) if each is side]
        return error_rate([wrong[at] for at in inside], [questions[at] for at in inside])

    return Marked(share, rate(True), rate(False))


def calibration_curve(
    numbers: Sequence[float], wrong: Sequence[bool], questions: Sequence[str], bins: int = BINS
) -> list[Bin]:
    """The error rate in each tenth of the signal, from low to high.

    Equal numbers stay together, so there are fewer bins where many are equal: two for a signal
    that is yes or no.
    """
    values = np.asarray(numbers, dtype=np.float64)
    if not len(values):
        return []
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="lower"))
    places = np.searchsorted(edges, values, side="left")
    curve = []
    for place in np.unique(places):
        inside = np.flatnonzero(places == place).tolist()
        error = error_rate([wrong[at] for at in inside], [questions[at] for at in inside])
        assert error is not None, "only bins that hold something are looked at"
        own = values[inside]
        low, high = float(own.min()), float(own.max())
        mean = min(max(float(own.mean()), low), high)  # rounding takes it out of equal numbers
        curve.append(Bin(low, high, mean, error))
    return curve
