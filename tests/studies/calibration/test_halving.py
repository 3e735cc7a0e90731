"""Rungs, and who goes on to the next one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.studies.calibration.front import FrontPoint, ranks
from trigreason.studies.calibration.halving import FACTOR, FEWEST, rungs, survivors

SHARE = st.floats(0, 1)
POINTS = st.lists(st.builds(FrontPoint, SHARE, SHARE), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("questions", "sizes"),
    [(1, [1]), (55, [55]), (56, [28, 56]), (140, [35, 70, 140]), (225, [29, 57, 113, 225])],
)
def test_rungs(questions: int, sizes: list[int]) -> None:
    assert rungs(questions) == sizes


@given(st.integers(1, 100_000))
def test_each_rung_has_about_twice_the_questions_of_the_one_before(questions: int) -> None:
    sizes = rungs(questions)
    assert sizes[-1] == questions
    assert sizes[0] >= min(questions, FEWEST)
    for few, many in pairwise(sizes):
        assert few == -(-many // FACTOR)


def test_no_question_is_too_few() -> None:
    with pytest.raises(ValueError, match="without any question"):
        rungs(0)


@given(POINTS)
def test_nobody_goes_on_before_who_beats_them(points: list[FrontPoint]) -> None:
    left = survivors(points)
    ranked = ranks(points)
    assert left == sorted(set(left))
    assert len(left) == -(-len(points) // FACTOR)
    worst = max(ranked[index] for index in left)
    assert all(ranked[index] >= worst for index in set(range(len(points))) - set(left))


def test_of_a_front_that_has_no_room_its_ends_go_on() -> None:
    points = [FrontPoint(1, 0), FrontPoint(0.9, 0.1), FrontPoint(0.89, 0.11), FrontPoint(0.2, 0.9)]
    assert survivors(points) == [0, 3]
    assert survivors([FrontPoint(0.5, 0.5)] * 3) == [0, 2]
