"""The trigger method as arithmetic: all runs under all settings, one position at a time.

This is :class:`trigreason.reasoning.TrigReason` once more, row by row of its table, on arrays of
the shape (settings, runs). It exists for speed alone, and tests hold it to the method itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trigreason.reasoning import Direction, Thresholds, Trigger, make_method
from trigreason.reasoning.repetition import EARLIER_TIMES, RECENT_STEPS
from trigreason.reasoning.steps import Author
from trigreason.studies.positions import NOTHING, Bools, Floats, Ints, RecordedSteps, Written

FIRED = (
    Trigger.STRATEGIC_PRIMING,
    Trigger.COGNITIVE_OFFLOAD,
    Trigger.INTERVENTION_REQUEST,
    Trigger.REPETITION,
)
"""The triggers of the method, by their number in the arrays."""
PRIMING, OFFLOAD, REQUEST, REPETITION = range(len(FIRED))
UNASKED = NOTHING
"""Instead of a trigger: no trigger of this setting asked the LRM for the step."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens at one position: arrays of the shape (settings, runs).

    Attributes:
        present: the run has come this far, and has not been closed over repetition.
        by_lrm: the LRM writes the step that stands here.
        drafted: the SRM's step here is thrown away.
        cause: the number of the trigger that has the LRM write, or UNASKED.
        handed_over: the LRM takes the pen here.
    """

    present: Bools
    by_lrm: Bools
    drafted: Bools
    cause: Ints
    handed_over: Bools


class Machine:
    """Settings at work on recorded steps; ask for every position in turn, from the first one on."""

    def __init__(self, steps: RecordedSteps, settings: Sequence[Thresholds]) -> None:
        self._srm, self._lrm = steps.srm, steps.lrm
        self._bounds = _Bounds(settings)
        self._fires = _offloads(steps, settings)
        self._hesitates = _hesitations(steps, settings)
        shape = len(settings), steps.shape[0]
        n = np.array([[each.n] for each in settings])
        self._owed = np.broadcast_to(n, shape).copy()
        self._cause = np.full(shape, PRIMING)
        self._streak = np.zeros(shape, dtype=np.int64)
        self._closed = np.zeros(shape, dtype=bool)
        self._pen_is_lrm = np.zeros(shape, dtype=bool)
        self._memory = _Memory(shape)

    def at(self, position: int) -> Moment:
        """What happens at ``position``, given what happened before it."""
        srm, lrm = _column(self._srm, position), _column(self._lrm, position)
        present = (srm.known | lrm.known) & ~self._closed
        owed = self._owed > 0
        handed = present & (owed | ~srm.known)
        seen = present & ~handed & srm.asked & ~srm.blank
        drafted = seen & self._fires[:, :, position]
        by_lrm = handed | drafted
        cause = np.where(drafted, OFFLOAD, np.where(owed, self._cause, UNASKED))
        handed_over = by_lrm & (drafted | ~self._pen_is_lrm)
        self._pen_is_lrm = by_lrm
        self._after_lrm(by_lrm & (lrm.asked | ~lrm.known), lrm)
        self._after_srm(seen & ~drafted, srm, position)
        return Moment(present, by_lrm, drafted, cause, handed_over)

    def _after_lrm(self, wrote: Bools, lrm: Written) -> None:
        self._streak[wrote] = 0
        self._owed[wrote] = np.maximum(self._owed[wrote] - 1, 0)
        stands = wrote & ~lrm.blank
        self._close(stands, self._memory.saw(stands, lrm))

    def _after_srm(self, stands: Bools, srm: Written, position: int) -> None:
        bounds = self._bounds
        repeats = self._memory.saw(stands, srm)
        self._close(stands, repeats)
        goes_on = stands & ~self._closed
        repetition = goes_on & repeats & bounds.guarded & bounds.has_lrm
        plain = goes_on & ~repetition
        streak = np.where(self._hesitates[:, :, position], self._streak + 1, 0)
        request = plain & (bounds.m > 0) & (streak >= bounds.k)
        self._streak = np.where(goes_on, np.where(plain & ~request, streak, 0), self._streak)
        self._owed = np.where(repetition, np.maximum(1, bounds.m), self._owed)
        self._owed = np.where(request, bounds.m, self._owed)
        self._cause = np.where(repetition, REPETITION, np.where(request, REQUEST, self._cause))

    def _close(self, stands: Bools, repeats: Bools) -> None:
        bounds = self._bounds
        self._closed |= stands & repeats & bounds.guarded & (self._memory.count >= bounds.repeats)


class _Bounds:
    """The settings' numbers as columns."""

    def __init__(self, settings: Sequence[Thresholds]) -> None:
        self.k = np.array([[each.k] for each in settings])
        self.m = np.array([[each.m] for each in settings])
        self.repeats = np.array([[each.repeats] for each in settings])
        self.guarded = self.repeats > 0
        methods = [make_method("trigreason", each) for each in settings]
        self.has_lrm = np.array([[Author.LRM in each.authors] for each in methods])


class _Memory:
    """Repetition's memory, see ``reasoning.repetition``: what the last standing steps said."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.count = np.zeros(shape, dtype=np.int64)
        self._recent = np.full((RECENT_STEPS, *shape), NOTHING)

    def saw(self, stands: Bools, written: Written) -> Bools:
        """Remember the steps that stand, and say which of them repeat."""
        same = self._recent == written.said
        again = same[-1] | (same.sum(axis=0) >= EARLIER_TIMES)
        repeats = stands & (written.circles | (written.compared & again))
        self.count = np.where(stands, np.where(repeats, self.count + 1, 0), self.count)
        pushed = np.concatenate(
            [self._recent[1:], np.broadcast_to(written.said, stands.shape)[None]]
        )
        self._recent = np.where(stands, pushed, self._recent)
        return np.asarray(repeats, dtype=bool)


def _column(written: Written, position: int) -> Written:
    """The author's steps at one position: arrays of the shape (runs,)."""
    return Written(*(getattr(written, name)[:, position] for name in Written.__slots__))


def _offloads(steps: RecordedSteps, settings: Sequence[Thresholds]) -> Bools:
    """Eq. 5 for every SRM step: (settings, runs, positions)."""
    ratios: dict[float, Floats] = {}
    fires = np.zeros((len(settings), *steps.shape), dtype=bool)
    for row, each in enumerate(settings):
        if each.tau not in ratios:
            ratios[each.tau] = steps.ratios(each.tau)
        if make_method("trigreason", each).offload.is_off:
            continue
        over = each.direction is Direction.OVER
        fires[row] = ratios[each.tau] > each.rho if over else ratios[each.tau] < each.rho
    return fires


def _hesitations(steps: RecordedSteps, settings: Sequence[Thresholds]) -> Bools:
    """Eq. 7 for every SRM step: (settings, runs, positions)."""
    told = {words: steps.hesitates(words) for words in {each.expressions for each in settings}}
    return np.stack([told[each.expressions] for each in settings])
