"""What a running pair tells its consumer, in the order in which it happens.

Thinking text comes only when it can no longer be taken back: an SRM step all at once when the
method has let it stand (when steps can be thrown away at all), an LRM step as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning import Author, StepRecord, Trace, Trigger


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run has begun; its trace fills as it goes, and is whole with ``Done``."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class StepBegun:
    """``author`` begins a step; ``trigger`` is what gave it the pen."""

    author: Author
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class ThinkingText:
    """Thinking that stands."""

    author: Author
    text: str


@dataclass(frozen=True, slots=True)
class StepAccepted:
    """A finished step stands; its text has been given out."""

    index: int
    step: StepRecord


@dataclass(frozen=True, slots=True)
class DraftDropped:
    """A finished step was thrown away; ``trigger`` is why."""

    index: int
    step: StepRecord
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The pen goes to ``writer`` for ``steps`` steps (None: until told otherwise).

    ``because`` is the step whose signals fired the trigger, with its numbers.
    """

    writer: Author
    trigger: Trigger | None
    steps: int | None
    because: StepRecord | None


@dataclass(frozen=True, slots=True)
class WentOnAlone:
    """One model stays away for ``reason``; ``author`` writes the rest, and the run is degraded."""

    author: Author
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerText:
    """A piece of the answer."""

    author: Author
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over."""

    trace: Trace


Event = (
    RunBegun
    | StepBegun
    | ThinkingText
    | StepAccepted
    | DraftDropped
    | HandedOver
    | WentOnAlone
    | AnswerText
    | Done
)
