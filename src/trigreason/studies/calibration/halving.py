"""Successive halving: all candidates on few questions, and only the better ones on more.

After Jamieson and Talwalkar 2016, with the ranks of two aims in place of one loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.studies.calibration.front import FrontPoint, crowding, ranks

FACTOR = 2
"""One in so many candidates goes on to the next rung, which has so many times the questions."""

FEWEST = 28
"""The fewest questions on the first rung; with fewer, chance decides which half is better."""


def rungs(questions: int) -> list[int]:
    """How many questions each rung has, the last one all of them.

    Raises:
        ValueError: there is no question.
    """
    if questions < 1:
        raise ValueError("candidates cannot be told apart without any question")
    sizes = [questions]
    while sizes[0] >= FACTOR * FEWEST:
        sizes.insert(0, -(-sizes[0] // FACTOR))
    return sizes


def survivors(points: Sequence[FrontPoint]) -> list[int]:
    """The indices, rising, of the candidates that go on: 1 in ``FACTOR``, rounded up.

    Front after front goes on. Of the first front that does not fit as a whole, the points that are
    most alone go on, so that the rest still spans both aims. Of equals, the earlier goes on.
    """
    ranked = ranks(points)
    alone = [0.0] * len(points)
    for rank in set(ranked):
        layer = [index for index, each in enumerate(ranked) if each == rank]
        for index, value in zip(layer, crowding([points[i] for i in layer]), strict=True):
            alone[index] = value
    return _first(sorted(range(len(points)), key=lambda index: (ranked[index], -alone[index])))


def best_half(values: Sequence[float]) -> list[int]:
    """Survivors by one aim: the indices, rising, of the largest values."""
    return _first(sorted(range(len(values)), key=lambda index: -values[index]))


def _first(order: list[int]) -> list[int]:
    """The survivors among indices that are given best first."""
    return sorted(order[: -(-len(order) // FACTOR)])
