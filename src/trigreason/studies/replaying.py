"""Recorded runs under other thresholds, with no model: which triggers would fire, and the SMT.

The assumption: the LRM writes the first n steps, each SRM step on which the offload fires, and the
steps after a request or a repetition, in the place of what the SRM wrote there; everything else
stays as recorded. What the models would have written after the first difference is unknown, so
SMT and handovers are estimates, and rougher the longer a run is.

Runs of the SRM alone give the best estimates, since they have its step at every place. An LRM step
for which no SRM draft is recorded stays the LRM's under every setting. An LRM step that is not
recorded is taken to have ``token_ratio`` times the tokens of the SRM step in its place, and to say
something new.

The method itself makes every decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Author,
    Decision,
    Features,
    Halt,
    Judge,
    MethodRun,
    Reward,
    Rewrite,
    Step,
    StepEnd,
    StepRecord,
    Thresholds,
    Trigger,
)
from trigreason.reasoning.replay import recorded_features
from trigreason.studies.positions import Position, positions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRED: tuple[Trigger, ...] = tuple(each for each in Trigger if each is not Trigger.JUDGE_REJECTION)
"""The triggers of methods that can be replayed; scores of a judge are not replayed."""


@dataclass(frozen=True, slots=True)
class Replays:
    """The outcome of recorded runs under each setting. All arrays have the shape (settings, runs).

    Attributes:
        settings: the thresholds, in the order of the arrays' rows.
        runs: the runs that have SRM steps, in the order of the arrays' columns.
        left_out: how many of the given runs have no SRM step.
        steps: steps of the thinking.
        steps_by: steps that the LRM writes because of each trigger.
        handovers_by: how often each trigger hands over to the LRM.
        srm_tokens: tokens of the thinking that the SRM wrote.
        lrm_tokens: tokens of the thinking that the LRM writes, recorded or estimated.
        draft_tokens: tokens of the SRM steps that the offload throws away.
        kept_steps: LRM steps of the recording that no trigger of this setting asks for.
        token_ratio: the assumed tokens of an LRM step over those of the SRM step in its place.
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
        """Handovers to the LRM, by all triggers together."""
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
    runs: Sequence[Run],
    settings: Sequence[Thresholds],
    *,
    method: str = "trigreason",
    token_ratio: float = 1.0,
) -> Replays:
    """Replay every run by ``method`` under every setting.

    ``token_ratio`` is an LRM step's tokens over those of the SRM's step in its place; see
    :func:`recorded_token_ratio`.

    Raises:
        ValueError: there is no setting, no run has a step of the SRM, or the method asks for
            scores, or for rewards that are not recorded.
    """
    if not settings:
        raise ValueError("there is no setting to replay the runs under")
    used = tuple(run for run in runs if _has_srm_step(run))
    if not used:
        raise ValueError(
            "no recorded run has a step of the SRM; replay needs runs of the SRM alone, "
            "or of a method in which it writes"
        )
    tallies = [_tallies(run, settings, method, token_ratio) for run in used]

    def counts(number: Callable[[_Tally], int]) -> Ints:
        return np.array([[number(tally) for tally in row] for row in tallies], dtype=np.int64).T

    def by_trigger(numbers: Callable[[_Tally], dict[Trigger, int]]) -> dict[Trigger, Ints]:
        rows = [[numbers(tally) for tally in row] for row in tallies]
        return {key: np.array([[by[key] for by in row] for row in rows]).T for key in FIRED}

    def tokens(number: Callable[[_Tally], float]) -> Floats:
        return np.array([[number(tally) for tally in row] for row in tallies], dtype=np.float64).T

    return Replays(
        settings=tuple(settings),
        runs=used,
        left_out=len(runs) - len(used),
        steps=counts(lambda tally: tally.steps),
        steps_by=by_trigger(lambda tally: tally.steps_by),
        handovers_by=by_trigger(lambda tally: tally.handovers_by),
        srm_tokens=tokens(lambda tally: tally.srm_tokens),
        lrm_tokens=tokens(lambda tally: tally.lrm_tokens),
        draft_tokens=tokens(lambda tally: tally.draft_tokens),
        kept_steps=counts(lambda tally: tally.kept_steps),
        token_ratio=token_ratio,
    )


_UNKNOWN = Features(Step("(unknown)", (), author=Author.LRM))
"""Stands in for an LRM step that is not recorded; too short to count as a repetition."""


@dataclass(slots=True)
class _RecordedStep:
    """A recorded step; ``features`` is None for one cut off, on which no method decides."""

    tokens: int
    features: Features | None
    reward: float | None = None

    @classmethod
    def of(cls, record: StepRecord | None) -> _RecordedStep | None:
        if record is None:
            return None
        is_whole = record.end is not StepEnd.CUT_OFF
        features = recorded_features(record) if is_whole else None
        return cls(record.tokens, features, record.reward)


@dataclass(slots=True)
class _Place:
    """A position, prepared so that each setting can read it quickly."""

    srm: _RecordedStep | None
    lrm: _RecordedStep | None

    @classmethod
    def of(cls, position: Position) -> _Place:
        return cls(_RecordedStep.of(position.srm), _RecordedStep.of(position.lrm))


class _Tally:
    """The numbers of one run under one setting; see :class:`Replays`."""

    __slots__ = (
        *("draft_tokens", "handovers_by", "kept_steps", "lrm_tokens", "srm_tokens"),
        *("steps", "steps_by"),
    )

    def __init__(self) -> None:
        self.steps = self.kept_steps = self.srm_tokens = self.draft_tokens = 0
        self.lrm_tokens = 0.0
        self.steps_by = dict.fromkeys(FIRED, 0)
        self.handovers_by = dict.fromkeys(FIRED, 0)

    def count(self, cause: Trigger, *, handed_over: bool) -> None:
        """Count an LRM step that ``cause`` requested."""
        self.steps_by[cause] += 1
        self.handovers_by[cause] += handed_over


def _tallies(
    run: Run, settings: Sequence[Thresholds], method: str, token_ratio: float
) -> list[_Tally]:
    """One run under each setting, tau by tau, since steps cache their reading for the last tau."""
    places = [_Place.of(position) for position in positions(run.trace)]
    tallies = {
        index: _replay(places, method, settings[index], token_ratio)
        for index in sorted(range(len(settings)), key=lambda index: settings[index].tau)
    }
    return [tallies[index] for index in range(len(settings))]


def _replay(
    places: Sequence[_Place], method: str, setting: Thresholds, token_ratio: float
) -> _Tally:
    """One run under one setting: the method decides about each place in turn."""
    run, tally = MethodRun.of(method, setting), _Tally()
    read, on_step = run.read, run.on_step
    decision: Decision | Halt = run.open()
    cause = Trigger.METHOD
    pen = Author.SRM
    for place in places:
        if isinstance(decision, (Halt, Judge, Reward)):
            break
        tally.steps += 1
        srm, lrm = place.srm, place.lrm
        by_lrm = decision.author is Author.LRM
        if srm is not None and not by_lrm:
            if srm.features is None:
                tally.srm_tokens += srm.tokens
                break
            decision = on_step(read(srm.features))
            if isinstance(decision, Reward):
                decision = run.on_reward(_reward_of(srm))
            pen = Author.SRM
            if not isinstance(decision, Rewrite):
                tally.srm_tokens += srm.tokens
                if srm.features.is_opening:
                    break  # nobody knows how it would have gone on
                continue
            tally.draft_tokens += min(srm.tokens, run.glance or srm.tokens)
            by_lrm = True
        if by_lrm:
            cause = decision.trigger or (cause if pen is Author.LRM else Trigger.METHOD)
            tally.count(cause, handed_over=pen is Author.SRM)
        else:
            tally.kept_steps += 1
        pen = Author.LRM
        if lrm is not None:
            tally.lrm_tokens += lrm.tokens
            if lrm.features is None:
                break
            decision = on_step(read(lrm.features))
        elif srm is not None:
            tally.lrm_tokens += srm.tokens * token_ratio
            decision = on_step(read(_UNKNOWN))
    if isinstance(decision, Judge):
        raise ValueError("the method asks for a score of each step, which no record can give")
    return tally


def _reward_of(step: _RecordedStep) -> float:
    if step.reward is None:
        raise ValueError(
            "a step of the SRM has no reward; record runs with --method rsd, which rates every one"
        )
    return step.reward


def recorded_token_ratio(runs: Sequence[Run]) -> float | None:
    """Tokens per standing LRM step over tokens per SRM step, drafts too; None if either lacks."""
    lrm = [step.tokens for step in _steps_of(runs, Author.LRM) if step.standing]
    srm = [step.tokens for step in _steps_of(runs, Author.SRM)]
    return fmean(lrm) / fmean(srm) if lrm and sum(srm) else None


def _steps_of(runs: Sequence[Run], author: Author) -> Iterator[StepRecord]:
    return (step for run in runs for step in run.trace.steps if step.author is author)


def _has_srm_step(run: Run) -> bool:
    return any(place.srm is not None for place in positions(run.trace))
