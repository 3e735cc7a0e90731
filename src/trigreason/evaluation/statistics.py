"""Means over questions with 95 % intervals, and paired differences between two arms.

Answers to one question resemble each other, so the question is the unit: each one counts with the
mean of its samples, and the standard error is that of the mean over questions. That is the
standard error clustered by question of Miller 2024, "Adding Error Bars to Evals"
(arXiv 2411.00640), sections 2.2 and 4, with the sample variance instead of the population variance.
The paper's tasks have as few as 30 questions, so intervals are Student's t, not normal ones.

``samples`` always maps a question's id to the numbers of its samples, any number of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple, Self

CONFIDENCE = 0.95
SHARES = (0.0, 1.0)
"""The range of outcomes, accuracies and shares."""

ROUNDING = 1e-9
"""Differences count as equal if they vary by no more than this share of their size."""

Samples = Mapping[str, Sequence[float]]


class Estimate(NamedTuple):
    """A mean over questions and its 95 % interval, which is infinite if it is unknown.

    ``questions`` and ``samples`` count what the mean is over.
    """

    value: float
    low: float
    high: float
    questions: int
    samples: int

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def clipped(self, low: float, high: float) -> Self:
        """The estimate with its interval cut to the possible values, ``low`` to ``high``."""
        return self._replace(low=max(self.low, low), high=min(self.high, high))


class Difference(NamedTuple):
    """A mean of differences between two arms on the same questions, and its 95 % interval.

    ``p`` is the two-sided probability of a mean at least this far from 0 if the arms were equal.
    """

    value: float
    low: float
    high: float
    p: float
    questions: int

    @property
    def is_significant(self) -> bool:
        """Whether chance alone gives such a difference in fewer than one of 20 comparisons."""
        return self.p < 1 - CONFIDENCE


def pass_at_1(samples: Samples) -> Estimate:
    """The share of right answers: mean over questions of the mean over samples.

    If all questions have the same mean (say all are right), the interval is that of
    :func:`_without_spread` instead of one of width 0.

    Raises:
        ValueError: there is no question, one without a sample, or an outcome outside 0 to 1.
    """
    means = _means(samples)
    beyond = [number for numbers in samples.values() for number in numbers if not 0 <= number <= 1]
    if beyond:
        raise ValueError(f"the outcome of a sample lies between 0 (wrong) and 1, not {beyond[0]}")
    estimate = mean_of(samples)
    if min(means) == max(means):
        low, high = _without_spread(means[0], len(means), SHARES)
        return estimate._replace(value=means[0], low=low, high=high)
    return estimate.clipped(*SHARES)


def mean_of(samples: Samples) -> Estimate:
    """The mean of any number, such as seconds. With one question the interval is infinite.

    Raises:
        ValueError: there is no question, one without a sample, or a number that is not finite.
    """
    means = _means(samples)
    value, reach = fmean(means), _reach(means)
    count = sum(map(len, samples.values()))
    return Estimate(value, value - reach, value + reach, len(means), count)


def paired(
    first: Samples, second: Samples, *, within: tuple[float, float] | None = None
) -> Difference:
    """``first`` minus ``second`` on the questions that both have, with a paired t-test.

    ``within`` is the range of the numbers, :data:`SHARES` for accuracies. If the difference is the
    same on every question, its p is that of a sign test and its interval that of
    :func:`_without_spread`; without ``within``, of width 0, or infinite with one question.

    Raises:
        ValueError: no question is common to both, one has no sample, or a number is not finite.
    """
    common = [question for question in first if question in second]
    if not common:
        raise ValueError("the two arms have no question in common, so nothing can be compared")
    pairs = zip(
        _means({question: first[question] for question in common}),
        _means({question: second[question] for question in common}),
        strict=True,
    )
    differences = [one - other for one, other in pairs]
    count = len(differences)
    largest = max(map(abs, differences))
    if max(differences) - min(differences) <= ROUNDING * largest:
        return _constant(differences[0], count, within)
    value, reach = fmean(differences), _reach(differences)
    t = value / _standard_error(differences)
    p = 2 * student_cdf(-abs(t), count - 1)
    low, high = value - reach, value + reach
    if within:
        span = within[1] - within[0]
        low, high = max(low, -span), min(high, span)
    return Difference(value, low, high, p, count)


def _constant(value: float, count: int, within: tuple[float, float] | None) -> Difference:
    """The result if every question has the same difference."""
    p = 1.0 if not value else min(1.0, 2.0 ** (1 - count))
    if within:
        span = within[1] - within[0]
        return Difference(value, *_without_spread(value, count, (-span, span)), p, count)
    reach = 0.0 if count > 1 else math.inf
    return Difference(value, value - reach, value + reach, p, count)


def _means(samples: Samples) -> list[float]:
    if not samples:
        raise ValueError("there is no question to take a mean over")
    for question, numbers in samples.items():
        if not numbers:
            raise ValueError(f"question {question!r} has no sample")
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"question {question!r} has a sample that is no finite number")
    return [fmean(numbers) for numbers in samples.values()]


def _standard_error(means: Sequence[float]) -> float:
    """The standard error of the mean of two or more numbers."""
    centre = fmean(means)
    squares = math.fsum((mean - centre) ** 2 for mean in means)
    return math.sqrt(squares / (len(means) - 1) / len(means))


def _reach(means: Sequence[float]) -> float:
    """Half the width of Student's interval; infinite for a single number."""
    if len(means) < 2:
        return math.inf
    quantile = student_quantile(0.5 + CONFIDENCE / 2, len(means) - 1)
    return quantile * _standard_error(means)


def _without_spread(value: float, count: int, within: tuple[float, float]) -> tuple[float, float]:
    """The interval of a mean if all ``count`` questions have the same ``value``.

    A standard error of 0 would claim certainty. But if a share s of all questions had another
    value, ``count`` questions would miss them all with probability (1 - s)^count, so s is, with
    95 % confidence, at most 1 - 0.05^(1/count), about 3 / count: the rule of three (Hanley and
    Lippman-Hand 1983). Those questions may have any value ``within`` the bounds.
    """
    other = 1 - (1 - CONFIDENCE) ** (1 / count)
    least, most = within
    return value + other * (least - value), value + other * (most - value)


def student_cdf(t: float, degrees: float) -> float:
    """The probability that Student's t with these degrees of freedom is below ``t``.

    Raises:
        ValueError: the degrees of freedom are not above 0.
    """
    if degrees <= 0:
        raise ValueError(f"Student's t needs degrees of freedom above 0, not {degrees}")
    total = degrees + t * t
    tail = 0.5 * _incomplete_beta(degrees / 2, 0.5, degrees / total, t * t / total)
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=1024)
def student_quantile(probability: float, degrees: float) -> float:
    """The value that Student's t is below with this probability.

    Raises:
        ValueError: the probability is not between 0 and 1, or the degrees are not above 0.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability lies between 0 and 1, not at {probability}")
    if probability < 0.5:
        return -student_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while student_cdf(high, degrees) < probability:
        low, high = high, 2 * high
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        if student_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b), regularised, by its continued fraction (DLMF 8.17.22, modified Lentz).

    ``rest`` is 1 - x, which cannot be computed from x without loss if x is close to 1.
    """
    if x <= 0 or rest <= 0:
        return float(rest <= 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, rest, x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    numerator, denominator = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    fraction = denominator
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _off_zero(1 + term * denominator)
            numerator = _off_zero(1 + term / numerator)
            fraction *= denominator * numerator
        if abs(denominator * numerator - 1) < 1e-15:
            break
    return front * fraction / a


def _off_zero(value: float) -> float:
    return value if abs(value) >= 1e-300 else 1e-300
