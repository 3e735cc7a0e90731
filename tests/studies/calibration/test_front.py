"""Fronts, ranks, crowding and the coin between two settings."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.studies.calibration.front import (
    FrontPoint,
    by_coin,
    crowding,
    dominates,
    front,
    hull,
    ranks,
    tossed,
)

GRID = st.integers(0, 6).map(lambda n: n / 6)
POINTS = st.lists(st.builds(FrontPoint, GRID, GRID), min_size=1, max_size=14)


@pytest.mark.parametrize(
    ("one", "other", "wins"),
    [
        ((0.9, 0.5), (0.9, 0.4), True),
        ((0.9, 0.5), (0.8, 0.5), True),
        ((0.9, 0.5), (0.8, 0.4), True),
        ((0.9, 0.5), (0.9, 0.5), False),
        ((0.9, 0.5), (0.8, 0.6), False),
        ((0.8, 0.5), (0.9, 0.5), False),
    ],
)
def test_domination(one: tuple[float, float], other: tuple[float, float], wins: bool) -> None:
    assert dominates(FrontPoint(*one), FrontPoint(*other)) is wins


def test_a_front_by_hand() -> None:
    points = [FrontPoint(*each) for each in [(0.6, 1), (0.9, 0.5), (0.8, 0.5), (1, 0), (0.9, 0.5)]]
    assert front(points) == [3, 1, 4, 0]
    assert ranks(points) == [0, 0, 1, 0, 0]


@given(POINTS)
def test_no_point_of_the_front_is_beaten_and_every_other_is(points: list[FrontPoint]) -> None:
    best = set(front(points))
    for index, point in enumerate(points):
        beaten = any(dominates(points[other], point) for other in best)
        assert beaten is (index not in best)


@given(POINTS)
def test_ranks_are_fronts_taken_away_one_by_one(points: list[FrontPoint]) -> None:
    found = ranks(points)
    for rank in range(max(found) + 1):
        left = [index for index, each in enumerate(found) if each >= rank]
        layer = {left[index] for index in front([points[each] for each in left])}
        assert layer == {index for index, each in enumerate(found) if each == rank}


def test_crowding_by_hand() -> None:
    points = [
        FrontPoint(0.0, 1.0),
        FrontPoint(0.2, 0.8),
        FrontPoint(0.3, 0.3),
        FrontPoint(1.0, 0.0),
    ]
    assert crowding(points) == [math.inf, pytest.approx(1.0), pytest.approx(1.6), math.inf]
    assert crowding([]) == []
    assert crowding([FrontPoint(0.5, 0.5)]) == [math.inf]


def test_a_coin_by_hand() -> None:
    points = [FrontPoint(0.5, 1.0), FrontPoint(1.0, 0.0), FrontPoint(0.7, 0.8)]
    toss = by_coin(points, 0.4)
    assert toss is not None
    assert (toss.one, toss.other) == (1, 2)
    assert toss.weight == pytest.approx(0.5)
    assert tossed(points, toss) == pytest.approx(0.85)
    assert by_coin(points, 1.1) is None
    assert by_coin([], 0.5) is None


@given(POINTS, GRID)
def test_the_coin_is_the_upper_hull(points: list[FrontPoint], thrift: float) -> None:
    toss = by_coin(points, thrift)
    if toss is None:
        assert all(each.thrift < thrift for each in points) or all(
            each.thrift > thrift for each in points
        )
        return
    one, other = points[toss.one], points[toss.other]
    assert one.thrift + toss.weight * (other.thrift - one.thrift) == pytest.approx(thrift)
    gets = tossed(points, toss)
    assert all(gets >= each.accuracy for each in points if each.thrift == thrift)
    assert min(one.accuracy, other.accuracy) <= gets <= max(one.accuracy, other.accuracy)


@given(POINTS)
def test_the_drawn_hull_is_what_coins_get(points: list[FrontPoint]) -> None:
    corners = hull(points)
    assert set(corners) <= set(points)
    for corner in corners:
        toss = by_coin(points, corner.thrift)
        assert toss is not None
        assert tossed(points, toss) == pytest.approx(corner.accuracy)
    middles = [(one.thrift + other.thrift) / 2 for one, other in pairwise(corners)]
    for middle in middles:
        on_hull, by_all = by_coin(corners, middle), by_coin(points, middle)
        assert on_hull is not None
        assert by_all is not None
        assert tossed(corners, on_hull) == pytest.approx(tossed(points, by_all))
