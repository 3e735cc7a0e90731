"""Recorded steps as arrays, one row per run, ready to be replayed under many thresholds at once.

A *position* is a place in the thinking: an SRM step that stood, an SRM draft together with the LRM
step that replaced it, or an LRM step for which no SRM step is known. Texts become numbers, equal
for texts that say the same, so that repetition is told exactly as the methods tell it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigreason.reasoning import Author, Step, StepEnd, StepRecord, Trace
from trigreason.reasoning.hesitation import find_hesitations
from trigreason.reasoning.repetition import (
    AUTHOR_IS_DONE,
    RepetitionMemory,
    normalised,
    says_little,
)
from trigreason.reasoning.tokens import perplexity

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NOTHING = -1
"""The number of no text, and of a text that says too little to be said again."""


@dataclass(frozen=True, slots=True)
class Position:
    """What is known of one place in a recorded thinking; at least one of the two is."""

    srm: StepRecord | None
    lrm: StepRecord | None


def positions(trace: Trace) -> list[Position]:
    """The places in a run's thinking, in order, up to where a model stayed away.

    A step that was cut off is the last: no method was asked what follows it.
    """
    places: list[Position] = []
    draft: StepRecord | None = None
    for record in _decided(trace):
        if record.author is Author.LRM:
            places.append(Position(draft, record))
            draft = None
            continue
        if draft is not None:
            places.append(Position(draft, None))
        draft = None if record.standing else record
        if record.standing:
            places.append(Position(record, None))
    if draft is not None:
        places.append(Position(draft, None))
    return places


def _decided(trace: Trace) -> Iterator[StepRecord]:
    for record in trace.steps[: trace.degraded.step] if trace.degraded else trace.steps:
        yield record
        if record.end is StepEnd.CUT_OFF:
            return


@dataclass(frozen=True, slots=True)
class Written:
    """One author's steps at all positions: arrays of the shape (runs, positions).

    Attributes:
        known: whether the author's step is recorded there; everything else is 0 where it is not.
        tokens: its tokens.
        asked: whether a method is asked about it: it was not cut off.
        blank: whether it is white space only.
        circles: whether it repeats whatever stands before it.
        compared: whether it repeats if what it says was said shortly before.
        said: the number of what it says, or NOTHING.
    """

    known: Bools
    tokens: Ints
    asked: Bools
    blank: Bools
    circles: Bools
    compared: Bools
    said: Ints


@dataclass(slots=True)
class RecordedSteps:
    """The steps of several runs; arrays of the shape (runs, positions), padded on the right."""

    srm: Written
    lrm: Written
    _texts: dict[tuple[int, int], str]
    _perplexities: Floats
    _owners: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Runs, and positions of the longest of them."""
        runs, places = self.srm.known.shape
        return runs, places

    def ratios(self, tau: float) -> Floats:
        """r_s of eq. 4 per SRM step; NaN where there is none, or no token has a probability."""
        size = self.srm.known.size
        below = np.bincount(self._owners[self._perplexities < tau], minlength=size)
        tokens = np.bincount(self._owners, minlength=size)
        ratios = np.full(size, np.nan)
        np.divide(below, tokens, out=ratios, where=tokens > 0)
        return ratios.reshape(self.shape)

    def hesitates(self, expressions: tuple[str, ...]) -> Bools:
        """h_s of eq. 7 per SRM step."""
        told = np.zeros(self.shape, dtype=bool)
        for place, text in self._texts.items():
            told[place] = bool(find_hesitations(text, expressions))
        return told


def recorded_steps(traces: Sequence[Trace]) -> RecordedSteps:
    """The steps of these runs as arrays; rows in the order of the runs."""
    all_places = [positions(trace) for trace in traces]
    shape = len(traces), max(map(len, all_places), default=0)
    srm, lrm = _empty(shape), _empty(shape)
    texts: dict[tuple[int, int], str] = {}
    perplexities: list[float] = []
    owners: list[Ints] = []
    for run, places in enumerate(all_places):
        numbers: dict[str, int] = {}
        for at, place in enumerate(places):
            if place.lrm is not None:
                _enter(lrm, (run, at), place.lrm, numbers)
            if place.srm is not None:
                _enter(srm, (run, at), place.srm, numbers)
                texts[run, at] = place.srm.text
                known = [each for each in place.srm.logprobs if each is not None]
                perplexities += map(perplexity, known)
                owners.append(np.full(len(known), run * shape[1] + at))
    flat = np.concatenate(owners) if owners else np.zeros(0, dtype=np.int64)
    return RecordedSteps(srm, lrm, texts, np.array(perplexities), flat)


def _empty(shape: tuple[int, int]) -> Written:
    flags = [np.zeros(shape, dtype=bool) for _ in range(5)]
    known, asked, blank, circles, compared = flags
    tokens = np.zeros(shape, dtype=np.int64)
    said = np.full(shape, NOTHING, dtype=np.int64)
    return Written(known, tokens, asked, blank, circles, compared, said)


def _enter(
    written: Written, place: tuple[int, int], record: StepRecord, numbers: dict[str, int]
) -> None:
    step = Step(record.text, (), record.end, record.author)
    said = normalised(record.text)
    written.known[place] = True
    written.tokens[place] = record.tokens
    written.asked[place] = record.end is not StepEnd.CUT_OFF
    written.blank[place] = step.is_blank
    written.circles[place] = RepetitionMemory().repeats(step)
    if not says_little(said):
        written.compared[place] = not step.is_blank and record.end not in AUTHOR_IS_DONE
        written.said[place] = numbers.setdefault(said, len(numbers))
