"""Which setting to recommend, decided by the questions of the search alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from trigreason.studies.calibration.experiment import Results, Thrift

RULE = (
    "of the settings that are worse than the default in neither aim on the questions of the "
    "search, the one whose lesser advantage is the surest (by the t of a paired comparison), then "
    "its greater one; of equals the simplest; the default where there is none"
)


def recommended(candidates: Sequence[Results], default: Results, thrift: Thrift) -> Results:
    """The setting that :data:`RULE` picks, among those of the default's method.

    All results are of the same questions. A setting that merely trades one aim for the other is
    never recommended, however good the trade: whether to make it is up to the user.
    """
    no_worse = [
        each
        for each in candidates
        if each.setting.method == default.setting.method and lesser_t(each, default, thrift) >= 0
    ]
    return min(
        [default, *no_worse],
        key=lambda each: (_worth(each, default, thrift), each.setting.complexity),
    )


def _worth(results: Results, default: Results, thrift: Thrift) -> tuple[float, ...]:
    """The lesser advantage and then the greater one, negated, so that less is better."""
    return tuple(-t for t in sorted(_ts(results, default, thrift)))


def lesser_t(results: Results, default: Results, thrift: Thrift) -> float:
    """The smaller t of the two aims, on the questions that both results have."""
    return min(_ts(results, default, thrift))


def _ts(results: Results, default: Results, thrift: Thrift) -> tuple[float, float]:
    return (
        t_of(results.rights(), default.rights()),
        t_of(results.thrifts(thrift), default.thrifts(thrift)),
    )


def t_of(ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]) -> float:
    """Student's t of the difference of question means, over the questions that both have.

    0 where there is no difference in the mean; infinite where it is the same on every question.
    """
    differences = [fmean(ours[name]) - fmean(theirs[name]) for name in ours if name in theirs]
    if len(differences) < 2:
        return 0.0
    mean, spread = fmean(differences), stdev(differences)
    if mean == 0:
        return 0.0
    if spread == 0:
        return math.copysign(math.inf, mean)
    return mean / spread * math.sqrt(len(differences))
