"""Error rates with intervals: along a signal, and where a rule fires or does not fire."""

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
    """Entries whose signal lies from ``low`` to ``high``, its mean, and their error rate."""

    low: float
    high: float
    mean: float
    error: Estimate


def error_rate(wrong: Sequence[bool], questions: Sequence[str]) -> Estimate | None:
    """The share of wrong entries, its interval clustered by question; None without entries."""
    counts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for is_wrong, question in zip(wrong, questions, strict=True):
        counts[question].append((float(is_wrong), 1.0))
    return pooled(counts) if counts else None


@dataclass(frozen=True, slots=True)
class Marked:
    """The share of entries that a rule marks, and the error rates of those and of the others.

    A rate is None where no entry is on its side.
    """

    share: Estimate
    marked: Estimate | None
    others: Estimate | None


def marked_rates(marks: Sequence[bool], wrong: Sequence[bool], questions: Sequence[str]) -> Marked:
    """The error rates on either side of a rule; there must be at least one entry."""
    share = error_rate(marks, questions)
    assert share is not None, "there is something to mark"

    def rate(side: bool) -> Estimate | None:
        inside = [at for at, mark in enumerate(marks) if mark is side]
        return error_rate([wrong[at] for at in inside], [questions[at] for at in inside])

    return Marked(share, rate(True), rate(False))


def calibration_curve(
    numbers: Sequence[float], wrong: Sequence[bool], questions: Sequence[str], bins: int = BINS
) -> list[Bin]:
    """The error rate in each tenth of the signal, from low to high.

    Equal numbers share a bin, so there are fewer bins where many are equal: two for a signal that
    is yes or no.
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
        assert error is not None, "every bin has an entry"
        in_bin = values[inside]
        low, high = float(in_bin.min()), float(in_bin.max())
        mean = min(max(float(in_bin.mean()), low), high)  # rounding may push it outside
        curve.append(Bin(low, high, mean, error))
    return curve
