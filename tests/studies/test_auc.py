"""The AUC against brute force, its interval against a bootstrap done by hand, known cases."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.studies.auc import FEWEST, auc, draw_questions

LABELLED = st.lists(
    st.tuples(
        st.sampled_from([-3.0, -1.0, 0.0, 0.5, 0.5001, 2.0, 1e9]),
        st.booleans(),
        st.sampled_from("abcdefg"),
    ),
    min_size=2 * FEWEST,
    max_size=60,
)


def brute_force(numbers: list[float], wrong: list[bool]) -> float:
    high = [number for number, is_wrong in zip(numbers, wrong, strict=True) if is_wrong]
    low = [number for number, is_wrong in zip(numbers, wrong, strict=True) if not is_wrong]
    won = [(a > b) + (a == b) / 2 for a, b in product(high, low)]
    return sum(won) / len(won)


@settings(max_examples=60, deadline=None)
@given(labelled=LABELLED)
def test_it_is_the_share_of_pairs_won(labelled: list[tuple[float, bool, str]]) -> None:
    numbers, wrong, questions = (list(each) for each in zip(*labelled, strict=True))
    found = auc(numbers, wrong, questions)
    if min(sum(wrong), len(wrong) - sum(wrong)) < FEWEST:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(brute_force(numbers, wrong))
    assert (found.wrong, found.right) == (sum(wrong), len(wrong) - sum(wrong))
    assert found.questions == len(set(questions))


@settings(max_examples=30, deadline=None)
@given(labelled=LABELLED)
def test_turned_round_it_is_the_rest(labelled: list[tuple[float, bool, str]]) -> None:
    numbers, wrong, questions = (list(each) for each in zip(*labelled, strict=True))
    found, turned = auc(numbers, wrong, questions), auc([-n for n in numbers], wrong, questions)
    assert (found is None) == (turned is None)
    if found and turned:
        assert turned.value == pytest.approx(1 - found.value)
        assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_only_pairs_within_a_group_count() -> None:
    """High numbers mark errors in either group; one group is wrong more often, with low numbers."""
    hard = [(number, number >= 2) for number in (1.0, 2.0, 3.0, 4.0, 5.0)]
    easy = [(number, number >= 15) for number in (11.0, 12.0, 13.0, 14.0, 15.0)]
    numbers, wrong = map(list, zip(*hard, *easy, strict=True))
    questions = [str(each) for each in range(10)]
    mixed = auc(numbers, wrong, questions)
    within = auc(numbers, wrong, questions, ["hard"] * 5 + ["easy"] * 5)
    assert mixed is not None
    assert within is not None
    assert within.value == 1
    assert mixed.value == brute_force(numbers, wrong) < 0.5
    assert auc(numbers, wrong, questions, [str(each) for each in wrong]) is None


@pytest.mark.parametrize(
    ("numbers", "value", "marks"),
    [
        ([2.0] * 20 + [1.0] * 20, 1.0, True),
        ([1.0] * 20 + [2.0] * 20, 0.0, False),
        ([7.0] * 40, 0.5, None),
        ([*range(20), *range(20)], 0.5, None),
    ],
    ids=["perfect", "perfect the other way", "constant", "no better than chance"],
)
def test_known_cases(numbers: list[float], value: float, marks: bool | None) -> None:
    wrong = [True] * 20 + [False] * 20
    found = auc(numbers, wrong, [str(each % 10) for each in range(40)])
    assert found is not None
    assert found.value == value
    assert found.high_marks_errors is marks
    assert found.low <= found.value <= found.high


def test_the_interval_is_that_of_a_direct_bootstrap() -> None:
    """The same draws, each written out as the list of answers that it stands for."""
    rng = np.random.default_rng(1)
    questions = [str(number // 4) for number in range(60)]
    wrong = [bool(each) for each in rng.random(60) < 0.4]
    numbers = [float(each) for each in np.round(rng.normal(size=60) + 0.8 * np.array(wrong), 1)]
    found = auc(numbers, wrong, questions, seed=5)
    assert found is not None
    names = sorted(set(questions))
    by_hand = []
    for draw in draw_questions(len(names), 5):
        drawn = [
            index
            for name, times in zip(names, draw, strict=True)
            for index in [i for i in range(60) if questions[i] == name] * int(times)
        ]
        by_hand.append(brute_force([numbers[i] for i in drawn], [wrong[i] for i in drawn]))
    low, high = np.percentile(by_hand, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high))


def test_answers_to_one_question_do_not_pass_for_independent() -> None:
    """Ten copies of every answer tell no more than the answers did."""
    rng = np.random.default_rng(2)
    wrong = [bool(each) for each in rng.random(40) < 0.5]
    numbers = [float(each) for each in rng.normal(size=40)]
    questions = [str(each) for each in range(40)]
    once = auc(numbers, wrong, questions)
    copied = auc(numbers * 10, wrong * 10, questions * 10)
    assert once is not None
    assert copied is not None
    assert (copied.value, copied.low, copied.high) == pytest.approx(
        (once.value, once.low, once.high)
    )
