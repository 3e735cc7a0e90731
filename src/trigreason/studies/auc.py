"""How well a number tells wrong from right: the area under the ROC curve, clustered by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 5
"""An AUC needs at least so many wrong entries, and as many right ones."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Auc:
    """The chance that a wrong entry has a higher number than a right one of its group; ties half.

    .5 is chance; above it high numbers mark errors, below it low ones do. ``low`` and ``high``
    are the 95 % interval (percentiles) of a bootstrap over questions.
    """

    value: float
    low: float
    high: float
    wrong: int
    right: int
    questions: int

    @property
    def high_marks_errors(self) -> bool | None:
        """Which end marks errors, if the whole interval is on one side of chance; else None."""
        if self.low > 0.5:
            return True
        return False if self.high < 0.5 else None

    @property
    def distance(self) -> float:
        """How far from chance, 0 to .5, whichever end marks errors."""
        return abs(self.value - 0.5)


def auc(
    numbers: Sequence[float],
    wrong: Sequence[bool],
    questions: Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> Auc | None:
    """The AUC of ``numbers``, one per answer or step; no number may be NaN.

    ``wrong`` says which entries are errors, ``questions`` which question each belongs to. With
    ``groups`` of questions, a wrong entry is compared only with right ones of the same group:
    groups differ in how hard they are and in how their steps look, and a signal deserves no
    credit for that. The bootstrap draws as many questions as there are, each with all its entries.

    None where fewer than FEWEST entries are wrong, or right, or no group has both.
    """
    is_wrong = np.asarray(wrong, dtype=bool)
    count = int(is_wrong.sum())
    if min(count, len(is_wrong) - count) < FEWEST:
        return None
    names, firsts, owners = np.unique(np.asarray(questions), return_index=True, return_inverse=True)
    values = np.asarray(numbers, dtype=np.float64)
    group_of = np.asarray(groups if groups is not None else [""] * len(values))[firsts]
    draws = draw_questions(len(names), seed)
    won, pairs = np.zeros(RESAMPLES + 1), np.zeros(RESAMPLES + 1)
    for group in np.unique(group_of):  # one by one: all pairs of questions would fill the memory
        members = np.flatnonzero(group_of == group)
        in_group = np.isin(owners, members)
        group_owners = np.searchsorted(members, owners[in_group])
        cells = _Cells(values[in_group], is_wrong[in_group], group_owners)
        once_each = np.vstack([np.ones(len(members)), draws[:, members]])
        won += _over_draws(cells.wins, once_each)
        pairs += _over_draws(cells.pairs, once_each)
    if not pairs[0]:
        return None
    value, *resampled = np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    low, high = np.nanpercentile(resampled, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Auc(float(value), float(low), float(high), count, len(is_wrong) - count, len(names))


@lru_cache(maxsize=4)
def draw_questions(count: int, seed: int) -> Floats:
    """How often each of ``count`` questions is drawn in each resample: (RESAMPLES, questions)."""
    chances = np.full(count, 1 / count)
    drawn = np.random.default_rng(seed).multinomial(count, chances, size=RESAMPLES)
    return drawn.astype(np.float64)


def _over_draws(cells: Floats, draws: Floats) -> Floats:
    """For each resample, the sum of the cells, each times how often its two questions are drawn."""
    return np.asarray(np.einsum("rq,rq->r", draws @ cells, draws), dtype=np.float64)


class _Cells:
    """A group's comparisons by pair of questions: (that of the wrong entry, of the right one).

    ``pairs`` counts comparisons, ``wins`` those that the wrong entry wins (a tie is half a win).
    """

    def __init__(
        self, values: Floats, is_wrong: NDArray[np.bool_], owners: NDArray[np.intp]
    ) -> None:
        count = int(owners.max()) + 1
        wrong_values, wrong_owners = values[is_wrong], owners[is_wrong]
        self.wins = np.zeros((count, count))
        for question in range(count):
            right = np.sort(values[~is_wrong & (owners == question)])
            below = np.searchsorted(right, wrong_values, side="left")
            up_to = np.searchsorted(right, wrong_values, side="right")
            ranks = (below + up_to) / 2
            self.wins[:, question] = np.bincount(wrong_owners, weights=ranks, minlength=count)
        right_in = np.bincount(owners[~is_wrong], minlength=count)
        wrong_in = np.bincount(wrong_owners, minlength=count)
        self.pairs = np.outer(wrong_in, right_in).astype(np.float64)
