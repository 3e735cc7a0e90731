"""Intervals and paired differences against tables, simulations, resampling and Inspect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trigreason.evaluation.statistics import (
    SHARES,
    mean_of,
    paired,
    pass_at_1,
    student_cdf,
    student_quantile,
)

Samples = dict[str, list[float]]

outcomes = st.dictionaries(
    st.text(max_size=3),
    st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=5),
    min_size=1,
    max_size=12,
)


def simulated(
    questions: int, epochs: int, seed: int, ease: tuple[float, float] = (0.8, 0.8)
) -> Samples:
    """Outcomes of questions that are hard or easy, by a beta distribution of these parameters."""
    draw = np.random.default_rng(seed)
    chances = draw.beta(*ease, questions)
    right = draw.random((questions, epochs)) < chances[:, None]
    return {str(at): row.astype(float).tolist() for at, row in enumerate(right)}


# Student's t


@pytest.mark.parametrize(
    ("probability", "degrees", "printed"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.95, 5, 2.015),
        (0.975, 9, 2.262),
        (0.99, 10, 2.764),
        (0.975, 29, 2.045),
        (0.995, 30, 2.750),
        (0.9995, 3, 12.924),
        (0.975, 120, 1.980),
        (0.975, 1e9, 1.960),
        (0.025, 29, -2.045),
        (0.5, 7, 0.0),
    ],
)
def test_quantiles_are_those_of_printed_tables(
    probability: float, degrees: float, printed: float
) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(printed, abs=5.1e-4)


@pytest.mark.parametrize("t", [-8.0, -1.5, -0.1, 0.0, 0.1, 0.7, 1.0, 3.0, 40.0])
def test_the_distribution_is_known_in_closed_form_for_one_two_and_four_degrees(t: float) -> None:
    one = 0.5 + math.atan(t) / math.pi
    two = 0.5 + t / (2 * math.sqrt(2 + t * t))
    s = t / math.sqrt(t * t + 4)
    four = 0.5 + 0.75 * (s - s**3 / 3)
    for degrees, exact in ((1, one), (2, two), (4, four)):
        assert student_cdf(t, degrees) == pytest.approx(exact, abs=1e-13)


@given(st.floats(0.001, 0.999), st.floats(0.5, 5000))
@example(0.5000000000000001, 0.5000000000000001)
@example(0.5 + 1e-10, 30)
def test_the_quantile_undoes_the_distribution(probability: float, degrees: float) -> None:
    t = student_quantile(probability, degrees)
    assert student_cdf(t, degrees) == pytest.approx(probability, abs=1e-11)


@pytest.mark.parametrize(
    ("probability", "degrees", "told"),
    [(0, 3, "probability"), (1, 3, "probability"), (0.9, 0, "t")],
)
def test_there_is_no_quantile_of_nonsense(probability: float, degrees: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        student_quantile(probability, degrees)


# pass@1


def test_a_question_counts_with_the_mean_of_its_samples() -> None:
    found = pass_at_1({"a": [1], "b": [1, 0, 0, 0], "c": [0, 0]})
    means = [1, 0.25, 0]
    assert found.value == pytest.approx(fmean(means))
    assert found.value != pytest.approx(2 / 7), "the mean over all samples is another number"
    reach = 4.30265273 * stdev(means) / math.sqrt(3)
    assert found.high == pytest.approx(min(1, fmean(means) + reach))
    assert found.low == max(0, fmean(means) - reach) == 0
    assert (found.questions, found.samples) == (3, 7)


def test_mean_and_error_are_those_of_inspect_where_epochs_are_equal() -> None:
    from inspect_ai.scorer import SampleScore, Score, accuracy, ci, stderr

    samples = simulated(30, 4, seed=3)
    scores = [
        SampleScore(score=Score(value=value), sample_metadata={"question": question})
        for question, own in samples.items()
        for value in own
    ]
    # what these are is typed as something that takes another argument
    theirs: dict[str, Any] = {
        "mean": accuracy(),
        "error": stderr(cluster="question"),
        "interval": ci(cluster="question"),
    }
    found = pass_at_1(samples)
    error = (found.high - found.value) / student_quantile(0.975, 29)
    assert found.value == pytest.approx(theirs["mean"](scores))
    assert error == pytest.approx(theirs["error"](scores), rel=1e-12)
    ends = sorted(theirs["interval"](scores).values())
    assert ends == pytest.approx([found.low, found.high], rel=1e-6)


@pytest.mark.parametrize("ragged", [False, True])
def test_the_interval_is_that_of_a_bootstrap_over_questions(ragged: bool) -> None:
    samples = simulated(200, 8, seed=11)
    if ragged:
        samples = {name: own[: 1 + int(name) % 8] for name, own in samples.items()}
    means = np.array([fmean(own) for own in samples.values()])
    draw = np.random.default_rng(5)
    resampled = means[draw.integers(0, 200, (20_000, 200))].mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    found = pass_at_1(samples)
    assert found.low == pytest.approx(low, abs=0.003)
    assert found.high == pytest.approx(high, abs=0.003)
    naive = 1.96 * math.sqrt(found.value * (1 - found.value) / found.samples)
    assert found.high - found.value > 1.5 * naive, "samples of a question pass for independent"


@pytest.mark.parametrize(
    ("questions", "epochs", "ease"),
    [(30, 1, (0.8, 0.8)), (30, 16, (0.8, 0.8)), (30, 4, (9.0, 1.0)), (20, 4, (2.0, 1.0))],
)
def test_about_nineteen_of_twenty_intervals_hold_the_truth(
    questions: int, epochs: int, ease: tuple[float, float]
) -> None:
    truth = ease[0] / sum(ease)
    found = [pass_at_1(simulated(questions, epochs, seed, ease)) for seed in range(500)]
    covered = fmean(each.low <= truth <= each.high for each in found)
    assert 0.9 <= covered <= 0.98


def test_all_right_is_no_certainty() -> None:
    found = pass_at_1({str(at): [1.0] * 16 for at in range(30)})
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.05 ** (1 / 30))
    assert found.low == pytest.approx(1 - 3 / 30, abs=0.006), "the rule of three"
    nothing = pass_at_1({str(at): [0.0] for at in range(30)})
    assert nothing.high == pytest.approx(1 - found.low)


@pytest.mark.parametrize("truth", [0.8, 0.9, 0.95, 0.99])
def test_the_interval_of_even_results_holds_the_truth_often_enough(truth: float) -> None:
    questions = 12
    missed = 0.0
    for wrong in range(questions + 1):
        chance = math.comb(questions, wrong) * truth ** (questions - wrong) * (1 - truth) ** wrong
        own = [0.0] * wrong + [1.0] * (questions - wrong)
        found = pass_at_1({str(at): [value] for at, value in enumerate(own)})
        missed += chance * (not found.low <= truth <= found.high)
    assert missed <= 0.07


def test_one_question_says_next_to_nothing() -> None:
    assert pass_at_1({"a": [1, 0, 1, 0]})[:3] == pytest.approx((0.5, 0.025, 0.975))
    assert not mean_of({"a": [3, 4]}).has_interval


@given(outcomes)
def test_an_accuracy_lies_in_its_interval_and_both_between_0_and_1(samples: Samples) -> None:
    found = pass_at_1(samples)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low
    assert found.has_interval
    backwards = {name: own[::-1] for name, own in reversed(samples.items())}
    assert pass_at_1(backwards) == pytest.approx(found)


@given(outcomes, st.floats(-50, 50), st.floats(0.1, 50))
def test_a_mean_follows_its_unit(samples: Samples, shift: float, scale: float) -> None:
    one = mean_of(samples)
    other = mean_of({name: [shift + scale * each for each in own] for name, own in samples.items()})
    for before, after in zip(one[:3], other[:3], strict=True):
        assert after == pytest.approx(shift + scale * before, abs=1e-6)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ({}, "no question"),
        ({"a": [1], "b": []}, "question 'b' has no sample"),
        ({"a": [math.nan]}, "question 'a' has a sample that is no finite number"),
        ({"a": [2]}, "between 0"),
    ],
)
def test_what_is_no_outcome_is_refused(samples: Samples, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        pass_at_1(samples)


# Two arms


def test_a_paired_difference_worked_by_hand() -> None:
    # differences 1, 0, 2, 1: mean 1, variance 2/3, standard error sqrt(2/3)/2 = 0.40825
    first = {"a": [2], "b": [3], "c": [4, 6], "d": [1]}
    second = {"a": [1], "b": [3], "c": [3], "d": [0], "not asked of the first": [9]}
    found = paired(first, second)
    t = 1 / 0.4082483
    assert found.value == 1
    assert found.questions == 4
    assert found.high - found.value == pytest.approx(3.18244631 * 0.4082483)
    assert found.low == pytest.approx(2 - found.high)
    # Student's distribution with 3 degrees of freedom in closed form
    inner = math.atan(t / math.sqrt(3)) + t * math.sqrt(3) / (t * t + 3)
    assert found.p == pytest.approx(2 * (0.5 - inner / math.pi), rel=1e-6)
    assert not found.is_significant


def test_p_is_that_of_a_permutation_test() -> None:
    first, second = simulated(60, 8, seed=1, ease=(2, 1)), simulated(60, 8, seed=2, ease=(2, 1.6))
    found = paired(first, second)
    differences = np.array([fmean(first[each]) - fmean(second[each]) for each in first])
    draw = np.random.default_rng(7)
    signs = draw.choice([-1.0, 1.0], (40_000, 60))
    p = np.mean(np.abs((signs * differences).mean(axis=1)) >= abs(found.value) - 1e-12)
    assert 0.01 < p < 0.5, "a case that says something"
    assert found.p == pytest.approx(p, abs=0.02)


def test_pairing_takes_out_what_makes_questions_differ() -> None:
    hard = np.random.default_rng(4).random(100)
    first = {str(at): [value + 0.05] for at, value in enumerate(hard)}
    second = {str(at): [value + 0.01 * (at % 3)] for at, value in enumerate(hard)}
    found = paired(first, second)
    apart = mean_of(first).value - mean_of(first).low
    assert found.is_significant
    assert found.high - found.value < apart / 10


def test_a_true_null_is_rejected_once_in_twenty() -> None:
    rejected = [
        paired(simulated(30, 4, 2 * seed), simulated(30, 4, 2 * seed + 1)).is_significant
        for seed in range(600)
    ]
    assert fmean(rejected) == pytest.approx(0.05, abs=0.03)


def test_the_same_results_are_no_certainty_either() -> None:
    samples = simulated(30, 4, seed=9)
    found = paired(samples, samples, within=SHARES)
    assert (found.value, found.p) == (0, 1)
    assert found.high == -found.low == pytest.approx(1 - 0.05 ** (1 / 30))
    assert paired(samples, samples)[:3] == (0, 0, 0)


def test_the_same_gain_everywhere_has_the_p_of_a_sign_test() -> None:
    first: Samples = {str(at): [1.0] for at in range(6)}
    second: Samples = {str(at): [0.0] for at in range(6)}
    found = paired(first, second, within=SHARES)
    assert found.p == pytest.approx(2 / 2**6)
    assert found.high == 1
    assert found.low < 0.5
    one = paired({"a": [1.0]}, {"a": [0.0]}, within=SHARES)
    assert one.p == 1
    assert one.low < 0
    unbounded = paired({"a": [1.0]}, {"a": [0.0]})
    assert (unbounded.low, unbounded.high) == (-math.inf, math.inf)


@given(outcomes, outcomes)
def test_a_difference_turned_round_has_the_other_sign(first: Samples, second: Samples) -> None:
    common: Sequence[str] = [each for each in first if each in second]
    if not common:
        with pytest.raises(ValueError, match="no question in common"):
            paired(first, second)
        return
    one, other = paired(first, second, within=SHARES), paired(second, first, within=SHARES)
    assert other[:3] == pytest.approx((-one.value, -one.high, -one.low))
    assert other.p == pytest.approx(one.p)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert 0 <= one.p <= 1
