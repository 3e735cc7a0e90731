"""Ratios of two sums with intervals clustered by question.

A share of steps is a ratio whose denominator varies as well: a question with long answers has more
steps. The standard error is that of the linearised ratio (Cochran 1977, section 6.3, with the
question as the unit), so that steps of one answer, and answers to one question, are not taken to
be independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from trigreason.evaluation.statistics import CONFIDENCE, SHARES, Estimate, student_quantile

_ROUNDING = 1e-24
"""Squared residuals below this, relative to the squared denominator, are taken to be 0."""


def pooled(counts: Mapping[str, Sequence[tuple[float, float]]]) -> Estimate:
    """The sum of all numerators over the sum of all denominators.

    ``counts`` holds, for each question, the numerator and denominator of each of its samples.
    There is no interval where all questions have the same share: the spread is unknown.

    Raises:
        ValueError: the denominators are all 0.
    """
    sums = [
        (sum(above for above, _ in pairs), sum(below for _, below in pairs))
        for pairs in counts.values()
    ]
    estimate = _ratio(sums, sum(map(len, counts.values())))
    return estimate.clipped(*SHARES) if estimate.has_interval else estimate


def ratio_of_means(
    numerator: Mapping[str, Sequence[float]], denominator: Mapping[str, Sequence[float]]
) -> Estimate:
    """The ratio of two means over their common questions; each mean is taken as for pass@1.

    There is no interval where the ratio is the same on every question.

    Raises:
        ValueError: no question is common to both, or the lower mean is 0.
    """
    common = [question for question in numerator if question in denominator]
    sums = [(fmean(numerator[each]), fmean(denominator[each])) for each in common]
    return _ratio(sums, sum(len(numerator[each]) for each in common))


def _ratio(sums: Sequence[tuple[float, float]], samples: int) -> Estimate:
    above, below = sum(a for a, _ in sums), sum(b for _, b in sums)
    if not below:
        raise ValueError("there is nothing to take a share of")
    ratio = above / below
    count = len(sums)
    residuals = math.fsum((a - ratio * b) ** 2 for a, b in sums)
    if residuals <= _ROUNDING * below**2:
        return Estimate(ratio, -math.inf, math.inf, count, samples)
    error = math.sqrt(residuals * count / (count - 1)) / below
    reach = student_quantile(0.5 + CONFIDENCE / 2, count - 1) * error
    return Estimate(ratio, ratio - reach, ratio + reach, count, samples)
