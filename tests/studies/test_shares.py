"""Ratios of sums against a direct bootstrap over questions, and the cases without an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.studies.shares import pooled, ratio_of_means


def steps_of_questions(questions: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """Answers of very different lengths, whose questions have shares of their own."""
    draw = np.random.default_rng(seed)
    counts = {}
    for number in range(questions):
        share = draw.beta(2, 5)
        lengths = draw.integers(3, 60, size=4)
        counts[str(number)] = [(float(draw.binomial(n, share)), float(n)) for n in lengths]
    return counts


def test_the_interval_is_that_of_a_bootstrap_over_questions() -> None:
    counts = steps_of_questions(120, seed=1)
    sums = np.array([np.sum(own, axis=0) for own in counts.values()])
    draw = np.random.default_rng(2)
    picked = sums[draw.integers(0, len(sums), size=(4000, len(sums)))].sum(axis=1)
    low, high = np.quantile(picked[:, 0] / picked[:, 1], [0.025, 0.975])
    estimate = pooled(counts)
    assert estimate.value == pytest.approx(sums[:, 0].sum() / sums[:, 1].sum())
    assert estimate.low == pytest.approx(low, abs=0.006)
    assert estimate.high == pytest.approx(high, abs=0.006)
    assert (estimate.questions, estimate.samples) == (120, 480)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth = pooled(steps_of_questions(20_000, seed=3)).value
    held = [
        estimate.low <= truth <= estimate.high
        for estimate in (pooled(steps_of_questions(25, seed)) for seed in range(100, 400))
    ]
    assert 0.9 <= sum(held) / len(held) <= 0.985


def test_long_answers_weigh_more() -> None:
    assert pooled({"a": [(9, 9)], "b": [(0, 1)]}).value == 0.9


@pytest.mark.parametrize(
    "counts", [{"a": [(1.0, 2.0)]}, {"a": [(1.0, 2.0)], "b": [(2.0, 4.0)]}, {"a": [(0.0, 3.0)]}]
)
def test_nothing_is_known_of_a_spread_that_is_not_seen(
    counts: dict[str, list[tuple[float, float]]],
) -> None:
    assert not pooled(counts).has_interval


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to take a share of"):
        pooled({"a": [(0, 0)]})


def test_a_ratio_of_means_is_taken_over_the_questions_that_both_have() -> None:
    ratio = ratio_of_means({"a": [1, 0], "b": [1], "c": [1]}, {"b": [1], "a": [1, 1, 1]})
    assert ratio.value == pytest.approx(1.5 / 2)
    assert (ratio.questions, ratio.samples) == (2, 3)


def test_a_ratio_may_exceed_1() -> None:
    ratio = ratio_of_means({"a": [1], "b": [1], "c": [0]}, {"a": [1], "b": [0], "c": [0]})
    assert ratio.value == 2
    assert ratio.high > 2


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_a_share_lies_within_its_interval(counts: dict[str, list[tuple[int, int]]]) -> None:
    capped = {
        key: [(float(min(above, below)), float(below)) for above, below in own]
        for key, own in counts.items()
    }
    estimate = pooled(capped)
    assert 0 <= estimate.value <= 1
    assert estimate.low <= estimate.value <= estimate.high
    if estimate.has_interval:
        assert estimate.low >= 0
        assert estimate.high <= 1
