"""The places in a recorded thinking, each with the step that either model wrote there.

A *position* is an SRM step that stood, an SRM draft together with the LRM step that replaced it,
or an LRM step for which no SRM step is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trigreason.reasoning import Author, StepEnd, StepRecord, Trace


@dataclass(frozen=True, slots=True)
class Position:
    """The steps known at one place of a recorded thinking; at least one is not None."""

    srm: StepRecord | None
    lrm: StepRecord | None


def positions(trace: Trace) -> list[Position]:
    """The places in a run's thinking, in order, up to where a model failed for good.

    A step that was cut off is the last: its method decided nothing after it.
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
