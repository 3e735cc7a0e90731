"""The events of a run, in the order in which they happen.

Thinking text is sent only once it is final: an LRM step while it is written, and an SRM step all
at once when the method has kept it (or while it is written, if the method drops no steps).
"""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning import Author, StepRecord, Trace, Trigger


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run has begun; its trace grows with it and is complete at ``Done``."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class StepBegun:
    """``author`` begins a step; ``trigger`` says why it is this author's turn."""

    author: Author
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class TokensArrived:
    """So many more tokens of the step under way have arrived; their text may come later."""

    author: Author
    tokens: int


@dataclass(frozen=True, slots=True)
class ThinkingText:
    """A piece of thinking that is final."""

    author: Author
    text: str


@dataclass(frozen=True, slots=True)
class StepAccepted:
    """A finished step stands; its text has been sent already."""

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
    """``writer`` takes over for ``steps`` steps (None: until the method decides otherwise).

    ``because`` is the step whose signals fired the trigger, with its numbers.
    """

    writer: Author
    trigger: Trigger | None
    steps: int | None
    because: StepRecord | None


@dataclass(frozen=True, slots=True)
class WentOnAlone:
    """A model is unavailable (``reason``); ``author`` writes the rest, and the run is degraded.

    It is the other model, or the scorer if ``has_both``.
    """

    author: Author
    reason: str
    has_both: bool = False


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
    | TokensArrived
    | ThinkingText
    | StepAccepted
    | DraftDropped
    | HandedOver
    | WentOnAlone
    | AnswerText
    | Done
)
