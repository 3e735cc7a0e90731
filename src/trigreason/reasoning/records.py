"""What a trace is made of: steps, requests, handovers, and what they took."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigreason.reasoning.steps import Author, StepEnd
from trigreason.reasoning.triggers import Trigger


class StopReason(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """The author ended its thinking by itself, and there is an answer."""

    CLOSED = "closed"
    """A limit ended the thinking, and there is an answer all the same."""

    TRUNCATED = "truncated"
    """A budget was spent before an answer was finished."""

    EMPTY = "empty"
    """The models ended their turns without an answer."""

    @property
    def has_answer(self) -> bool:
        """Whether the run came to an answer and finished it."""
        return self in (StopReason.COMPLETE, StopReason.CLOSED)


class Purpose(StrEnum):
    """What a request was for."""

    WRITE = "write"
    JUDGE = "judge"
    ANSWER = "answer"

    WARM = "warm"
    """Nothing but reading the prefix, so that it is in the cache when it is needed."""

    HEDGE = "hedge"
    """A rewrite begun early that turned out not to be needed."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step as it was written.

    ``trigger`` is what put its author there (None for the SRM's ordinary writing); ``ratio`` is
    r_s of eq. 4, ``logprobs`` what it was computed from (nats; None for a sentinel), both only
    where they were asked for. ``standing`` is False for a draft. ``stretch`` is an index into
    the trace's stretches.
    """

    author: Author
    text: str
    tokens: int
    end: StepEnd
    stretch: int
    trigger: Trigger | None = None
    logprobs: tuple[float | None, ...] = ()
    ratio: float | None = None
    hesitations: tuple[str, ...] = ()
    score: float | None = None
    standing: bool = True

    @property
    def without_probability(self) -> int:
        """Tokens left out of the ratio because the server gave a sentinel."""
        return sum(logprob is None for logprob in self.logprobs)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One request.

    ``completion_tokens`` counts every token that arrived; ``unused_tokens`` those of them that
    came after the last step that was kept or recorded, in a stream that was then closed.
    ``prompt_tokens``, ``cached_tokens`` and ``generated_tokens`` (the completion, as far as it
    was counted when the stream ended) are the server's word, None where it gave none.
    ``began_seconds`` counts from the run's beginning. ``failed`` says in words what ended a
    request that failed.
    """

    author: Author
    purpose: Purpose
    trigger: Trigger | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    generated_tokens: int | None = None
    completion_tokens: int = 0
    unused_tokens: int = 0
    first_token_seconds: float | None = None
    seconds: float = 0.0
    failed: str | None = None
    began_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Handover:
    """The pen changes hands before step ``step`` (an index into the trace's steps)."""

    step: int
    writer: Author
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens; cached input costs ``cached_input``, or ``input`` where unknown."""

    input: float
    output: float
    cached_input: float | None = None

    def cost(self, stretch: Stretch) -> float | None:
        """USD for one request, or None where the server did not say how long the prompt was.

        A request that failed before its first token costs nothing.
        """
        if stretch.prompt_tokens is None:
            return 0.0 if stretch.failed and not stretch.completion_tokens else None
        cached = stretch.cached_tokens or 0
        cached_price = self.input if self.cached_input is None else self.cached_input
        fresh = stretch.prompt_tokens - cached
        generated = max(stretch.completion_tokens, stretch.generated_tokens or 0)
        paid = fresh * self.input + cached * cached_price + generated * self.output
        return paid / 1e6


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model did in a run. Tokens are its own; cost in USD where it is known."""

    requests: int
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int
    standing_tokens: int
    draft_tokens: int
    answer_tokens: int
    judge_tokens: int
    unused_tokens: int
    seconds: float
    usd: float | None


@dataclass(frozen=True, slots=True)
class Degraded:
    """``author`` stayed away, and from step ``step`` (an index) on the other one went on alone."""

    author: Author
    step: int
    reason: str
