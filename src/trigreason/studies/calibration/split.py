"""Splits questions into those of the search and held-out ones, which decide nothing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Generic, NamedTuple, Protocol, TypeVar


class Grouped(Protocol):
    """A question with a unique id, and the part of its task that it belongs to."""

    @property
    def id(self) -> str: ...

    @property
    def group(self) -> str: ...


Question = TypeVar("Question", bound=Grouped)


class Split(NamedTuple, Generic[Question]):
    """Two disjoint parts, each ordered so that its first questions are balanced over groups."""

    search: list[Question]
    held_out: list[Question]


def split(questions: Sequence[Question], held_out: float, seed: int) -> Split[Question]:
    """Hold out a share ``held_out`` of the questions, the same share of every group.

    Each group's share, and that of all questions, is met to within one question. Both parts
    alternate between groups, so that the first questions of a part represent all of it.

    Raises:
        ValueError: the share leaves a part without any question, or two questions share an id.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"the held-out share must lie between 0 and 1, not {held_out}")
    if len({each.id for each in questions}) < len(questions):
        raise ValueError("two questions have the same id")
    searched: list[list[Question]] = []
    kept: list[list[Question]] = []
    drawn = 0
    for group in _groups(questions, seed):
        searched.append([])
        kept.append([])
        for question in group:
            # Counting on across groups meets the overall share, too.
            place = drawn + 1
            is_kept = math.floor(place * held_out + 0.5) > math.floor(drawn * held_out + 0.5)
            (kept if is_kept else searched)[-1].append(question)
            drawn = place
    parts = Split(_around(searched), _around(kept))
    if not parts.search or not parts.held_out:
        raise ValueError(
            f"{len(questions)} questions are too few to search on some and to hold out others; "
            "raise --limit"
        )
    return parts


def _groups(questions: Sequence[Question], seed: int) -> list[list[Question]]:
    """The questions of each group, in an order that depends only on the seed and their ids."""
    groups: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda each: _drawn(seed, each.id)):
        groups.setdefault(question.group, []).append(question)
    return [groups[name] for name in sorted(groups)]


def _drawn(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()


def _around(groups: list[list[Question]]) -> list[Question]:
    rounds = zip_longest(*groups)
    return [question for each in rounds for question in each if question is not None]
