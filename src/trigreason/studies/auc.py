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
"""With fewer wrong ones, or fewer right ones, an AUC says nothing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Auc:
    """The chance that a wrong one has the higher number than a right one of its group; ties half.

    .5 is chance; above it high numbers mark errors, below it low ones do. ``low`` and ``high``
    are the 95 % interval of a bootstrap over questions (percentiles).
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
    """The AUC of ``numbers``, one per answer or step, which may not be NaN.

    ``wrong`` says which of them belong to errors, ``questions`` to which question each belongs.
    Where there are ``groups`` of questions, wrong ones are compared with right ones of their own
    group alone: groups differ in how hard they are and in how their steps look, and that is not
    what a signal can be credited with. The bootstrap draws as many questions as there are, with
    everything that belongs to them.

    None where fewer than FEWEST are wrong, or right, or no group has both.
    """
    is_wrong = np.asarray(wrong, dtype=bool)
    count = int(is_wrong.sum())
    if min(count, len(is_wrong) - count) < FEWEST:
        return None
    names, firsts, owners = np.unique(np.asarray(questions), return_index=True, return_inverse=True)
    values = np.asarray(numbers, dtype=np.float64)
    group_of = np.asarray(groups if groups is not None else [""] * len(values))[firsts]
    comparable = group_of[:, None] == group_of[None, :]
    wins = _wins(values, is_wrong, owners, len(names)) * comparable
    wrong_in = np.bincount(owners[is_wrong], minlength=len(names))
    right_in = np.bincount(owners[~is_wrong], minlength=len(names))
    pairs = np.outer(wrong_in, right_in).astype(np.float64) * comparable
    if not pairs.any():
        return None
    draws = draw_questions(len(names), seed)
    won, of = _over_draws(wins, draws), _over_draws(pairs, draws)
    resampled = np.divide(won, of, out=np.full(len(draws), np.nan), where=of > 0)
    low, high = np.nanpercentile(resampled, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    value = wins.sum() / pairs.sum()
    return Auc(float(value), float(low), float(high), count, len(is_wrong) - count, len(names))


@lru_cache(maxsize=4)
def draw_questions(count: int, seed: int) -> Floats:
    """How often each of ``count`` questions is drawn in each resample: (RESAMPLES, questions)."""
    chances = np.full(count, 1 / count)
    drawn = np.random.default_rng(seed).multinomial(count, chances, size=RESAMPLES)
    return drawn.astype(np.float64)


def _over_draws(cells: Floats, draws: Floats) -> Floats:
    """The sum over pairs of questions in each resample, both drawn as often as they are."""
    return np.asarray(np.einsum("rq,rq->r", draws @ cells, draws), dtype=np.float64)


def _wins(
    values: Floats, is_wrong: NDArray[np.bool_], owners: NDArray[np.intp], count: int
) -> Floats:
    """Pairs that a question's wrong ones win against a question's right ones: (wrong, right).

    All pairs of two questions are in one cell, so that a resample is a sum over cells.
    """
    wins = np.zeros((count, count))
    wrong_values, wrong_owners = values[is_wrong], owners[is_wrong]
    for question in range(count):
        right = np.sort(values[~is_wrong & (owners == question)])
        below = np.searchsorted(right, wrong_values, side="left")
        up_to = np.searchsorted(right, wrong_values, side="right")
        wins[:, question] = np.bincount(wrong_owners, weights=(below + up_to) / 2, minlength=count)
    return wins
