"""Recorded runs under other thresholds, with no model: what would fire, and the SMT that follows.

The assumption: the LRM writes the first n steps, each SRM step on which the offload fires, and the
steps after a request or a repetition, in the place of what the SRM wrote there; everything else
stays as the SRM wrote it. What the models would really have written after the first difference
nobody can know, so SMT and handovers are estimates, and the longer a run is the rougher they are.

They are best from runs of the SRM alone, which have its step at every place. Where a run has a
step of the LRM and no draft of the SRM's, that step stays the LRM's under every setting. Tokens of
an LRM step that is not recorded are those of the SRM's step in its place, times ``token_ratio``;
its text is taken to say something new.

Given the steps, the decisions are those of :class:`trigreason.reasoning.TrigReason`, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from trigreason.reasoning import Author, StepRecord, Thresholds, Trigger
from trigreason.studies.machine import FIRED, UNASKED, Machine, Moment
from trigreason.studies.positions import (
    Bools,
    Floats,
    Ints,
    RecordedSteps,
    positions,
    recorded_steps,
)
from trigreason.studies.runs import Run

BATCH = 128
"""Runs at once: arrays that fit a cache, and little padding among runs of all lengths."""


@dataclass(frozen=True, slots=True)
class Replays:
    """What recorded runs come to under each setting. All arrays have the shape (settings, runs).

    Attributes:
        settings: the thresholds, in the order of the arrays' rows.
        runs: the runs that have SRM steps, in the order of the arrays' columns.
        left_out: how many of the given runs have none.
        steps: steps of the thinking.
        steps_by: steps that the LRM writes because of each trigger.
        handovers_by: how often each trigger hands over to the LRM.
        srm_tokens: tokens of the thinking that the SRM wrote.
        lrm_tokens: tokens of the thinking that the LRM writes, recorded or estimated.
        draft_tokens: tokens of the SRM's steps that the offload throws away.
        kept_steps: LRM steps of the recording that no trigger of this setting asks for.
        token_ratio: an LRM step's tokens over those of the SRM's in its place, as assumed.
    """

    settings: tuple[Thresholds, ...]
    runs: tuple[Run, ...]
    left_out: int
    steps: Ints
    steps_by: Mapping[Trigger, Ints]
    handovers_by: Mapping[Trigger, Ints]
    srm_tokens: Floats
    lrm_tokens: Floats
    draft_tokens: Floats
    kept_steps: Ints
    token_ratio: float

    @property
    def handovers(self) -> Ints:
        """Handovers to the LRM, of all triggers."""
        return np.asarray(sum(self.handovers_by.values()), dtype=np.int64)

    @property
    def smt(self) -> Floats:
        """Per setting, the share of all thinking tokens that the SRM wrote."""
        srm, lrm = self.srm_tokens.sum(axis=1), self.lrm_tokens.sum(axis=1)
        return np.asarray(srm / (srm + lrm), dtype=np.float64)

    def share(self, trigger: Trigger) -> Floats:
        """Per setting, the share of all steps that the LRM writes because of a trigger."""
        return np.asarray(self.steps_by[trigger].sum(axis=1) / self.steps.sum(axis=1))


def replayed(
    runs: Sequence[Run], settings: Sequence[Thresholds], *, token_ratio: float = 1.0
) -> Replays:
    """Every run under every setting, at once.

    ``token_ratio`` is an LRM step's tokens over those of the SRM's step in its place; see
    :func:`recorded_token_ratio`.

    Raises:
        ValueError: there is no setting, or no run has a step of the SRM.
    """
    if not settings:
        raise ValueError("there is no setting to replay the runs under")
    used = tuple(run for run in runs if _has_srm_step(run))
    if not used:
        raise ValueError(
            "no recorded run has a step of the SRM; replay needs runs of the SRM alone, "
            "or of a method in which it writes"
        )
    tally = _Tally(len(settings), len(used), token_ratio)
    for start in range(0, len(used), BATCH):
        batch = used[start : start + BATCH]
        steps = recorded_steps([run.trace for run in batch])
        machine = Machine(steps, settings)
        for position in range(steps.shape[1]):
            tally.add(slice(start, start + len(batch)), machine.at(position), steps, position)
    return Replays(
        settings=tuple(settings),
        runs=used,
        left_out=len(runs) - len(used),
        steps=tally.steps,
        steps_by=dict(zip(FIRED, tally.steps_by, strict=True)),
        handovers_by=dict(zip(FIRED, tally.handovers_by, strict=True)),
        srm_tokens=tally.srm_tokens,
        lrm_tokens=tally.lrm_tokens,
        draft_tokens=tally.draft_tokens,
        kept_steps=tally.kept_steps,
        token_ratio=token_ratio,
    )


class _Tally:
    """The sums over positions, as :class:`Replays` has them."""

    def __init__(self, settings: int, runs: int, token_ratio: float) -> None:
        self._token_ratio = token_ratio
        shape = settings, runs
        self.steps = np.zeros(shape, dtype=np.int64)
        self.kept_steps = np.zeros(shape, dtype=np.int64)
        self.steps_by = np.zeros((len(FIRED), *shape), dtype=np.int64)
        self.handovers_by = np.zeros((len(FIRED), *shape), dtype=np.int64)
        self.srm_tokens = np.zeros(shape)
        self.lrm_tokens = np.zeros(shape)
        self.draft_tokens = np.zeros(shape)

    def add(self, runs: slice, now: Moment, steps: RecordedSteps, position: int) -> None:
        """Add what happens at one position to the columns of these runs."""
        srm, lrm = steps.srm.tokens[:, position], steps.lrm.tokens[:, position]
        recorded = steps.lrm.known[:, position]
        by_lrm = now.by_lrm
        self.steps[:, runs] += now.present
        self.kept_steps[:, runs] += by_lrm & (now.cause == UNASKED)
        self.srm_tokens[:, runs] += srm * (now.present & ~by_lrm)
        self.lrm_tokens[:, runs] += np.where(recorded, lrm, srm * self._token_ratio) * by_lrm
        self.draft_tokens[:, runs] += srm * now.drafted
        for number in range(len(FIRED)):
            caused: Bools = by_lrm & (now.cause == number)
            self.steps_by[number, :, runs] += caused
            self.handovers_by[number, :, runs] += caused & now.handed_over


def recorded_token_ratio(runs: Sequence[Run]) -> float | None:
    """Tokens per standing LRM step over tokens per SRM step, drafts too; None without either."""
    lrm = [step.tokens for step in _steps_of(runs, Author.LRM) if step.standing]
    srm = [step.tokens for step in _steps_of(runs, Author.SRM)]
    return fmean(lrm) / fmean(srm) if lrm and sum(srm) else None


def _steps_of(runs: Sequence[Run], author: Author) -> Iterator[StepRecord]:
    return (step for run in runs for step in run.trace.steps if step.author is author)


def _has_srm_step(run: Run) -> bool:
    return any(place.srm is not None for place in positions(run.trace))
