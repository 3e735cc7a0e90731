"""Error rates along a signal and on either side of a rule."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.studies.rates import calibration_curve, error_rate, marked_rates

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, 7.0]), st.booleans(), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=40,
)


@given(entries=ENTRIES)
def test_the_bins_hold_everything_once_and_keep_equals_together(
    entries: list[tuple[float, bool, str]],
) -> None:
    numbers, wrong, questions = (list(each) for each in zip(*entries, strict=True))
    curve = calibration_curve(numbers, wrong, questions, bins=4)
    assert sum(each.error.samples for each in curve) == len(entries)
    assert sum(each.error.value * each.error.samples for each in curve) == pytest.approx(sum(wrong))
    for lower, upper in pairwise(curve):
        assert lower.low <= lower.mean <= lower.high < upper.low


def test_tenths_and_two_bins_of_yes_and_no() -> None:
    hundred = [float(each) for each in range(100)]
    wrong = [number >= 50 for number in hundred]
    curve = calibration_curve(hundred, wrong, [str(each) for each in range(100)])
    assert [each.error.samples for each in curve] == [10] * 10
    assert [each.error.value for each in curve] == [0] * 5 + [1] * 5
    yes_and_no = calibration_curve([0.0, 1.0] * 10, [False, True] * 10, list("ab" * 10))
    assert [(each.mean, each.error.value) for each in yes_and_no] == [(0, 0), (1, 1)]
    assert calibration_curve([], [], []) == []


def test_a_rule_that_never_fires_has_no_error_rate() -> None:
    wrong, questions = [True, False, True, False], ["a", "a", "b", "b"]
    never = marked_rates([False] * 4, wrong, questions)
    assert (never.share.value, never.marked) == (0, None)
    assert never.others is not None
    assert never.others.value == 0.5
    perfect = marked_rates(wrong, wrong, questions)
    assert perfect.marked is not None
    assert perfect.others is not None
    assert (perfect.share.value, perfect.marked.value, perfect.others.value) == (0.5, 1, 0)
    assert error_rate([], []) is None
