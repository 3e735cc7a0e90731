"""Two aims at once: which points no other point beats, and how far behind the rest are.

A point is (accuracy, thrift), both better when larger: thrift is the SMT, or minus the USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class FrontPoint(NamedTuple):
    accuracy: float
    thrift: float


def dominates(one: FrontPoint, other: FrontPoint) -> bool:
    """Whether ``one`` is nowhere worse than ``other``, and somewhere better."""
    return one != other and one.accuracy >= other.accuracy and one.thrift >= other.thrift


def front(points: Sequence[FrontPoint]) -> list[int]:
    """The indices of the points that no other point dominates, by falling accuracy."""
    best = [
        index
        for index, point in enumerate(points)
        if not any(dominates(other, point) for other in points)
    ]
    return sorted(best, key=lambda index: (-points[index].accuracy, -points[index].thrift, index))


def ranks(points: Sequence[FrontPoint]) -> list[int]:
    """For each point, how many fronts must be removed until it is on the front; 0 for the front."""
    left = set(range(len(points)))
    ranked = [0] * len(points)
    rank = 0
    while left:
        layer = {
            index
            for index in left
            if not any(dominates(points[other], points[index]) for other in left)
        }
        for index in layer:
            ranked[index] = rank
        left -= layer
        rank += 1
    return ranked


def crowding(points: Sequence[FrontPoint]) -> list[float]:
    """How alone each point is: the box between its neighbours (Deb et al. 2002, NSGA-II).

    Each aim is scaled by its range; the points at the ends of an aim are infinitely alone.
    """
    alone = [0.0] * len(points)
    for aim in range(2):
        order = sorted(range(len(points)), key=lambda index: points[index][aim])
        if not order:
            continue
        width = points[order[-1]][aim] - points[order[0]][aim]
        alone[order[0]] = alone[order[-1]] = float("inf")
        if width == 0:
            continue
        for before, index, after in zip(order, order[1:], order[2:], strict=False):
            alone[index] += (points[after][aim] - points[before][aim]) / width
    return alone


class Toss(NamedTuple):
    """A coin between the points ``one`` and ``other`` (indices); ``weight`` is P(``other``)."""

    one: int
    other: int
    weight: float


def by_coin(points: Sequence[FrontPoint], thrift: float) -> Toss | None:
    """The coin between two of the points that has the highest accuracy at this thrift.

    A coin per question between two settings can reach, on average, any point on the line between
    them. None where no two points span the thrift.
    """
    tosses = [
        Toss(one, other, _share(points[one].thrift, points[other].thrift, thrift))
        for one in range(len(points))
        for other in range(len(points))
        if points[one].thrift <= thrift <= points[other].thrift
    ]
    return max(tosses, key=lambda toss: tossed(points, toss), default=None)


def tossed(points: Sequence[FrontPoint], toss: Toss) -> float:
    """The mean accuracy of a coin."""
    one, other = points[toss.one].accuracy, points[toss.other].accuracy
    return one + toss.weight * (other - one)


def _share(low: float, high: float, value: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0


def hull(points: Sequence[FrontPoint]) -> list[FrontPoint]:
    """The upper hull by rising thrift: the best accuracy that coins between the points reach."""
    kept: list[FrontPoint] = []
    for point in sorted(points, key=lambda each: (each.thrift, each.accuracy)):
        while kept and kept[-1].thrift == point.thrift:
            kept.pop()
        while len(kept) > 1 and not _is_above(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _is_above(one: FrontPoint, middle: FrontPoint, last: FrontPoint) -> bool:
    """Whether ``middle`` lies above the line from ``one`` to ``last``."""
    rise = (middle.accuracy - one.accuracy) * (last.thrift - one.thrift)
    return rise > (last.accuracy - one.accuracy) * (middle.thrift - one.thrift)
