"""The records that make up a trace: steps, requests, handovers, and their cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigreason.reasoning.steps import Author, StepEnd
from trigreason.reasoning.top_logprobs import NOT_KEPT, TopLogprobs
from trigreason.reasoning.triggers import Trigger


class StopReason(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """The author ended its thinking by itself, and there is an answer."""

    CLOSED = "closed"
    """A limit ended the thinking, and there is an answer nevertheless."""

    TRUNCATED = "truncated"
    """A budget was spent before an answer was finished."""

    EMPTY = "empty"
    """The models ended their turns without an answer."""

    @property
    def has_answer(self) -> bool:
        """Whether the run has a finished answer."""
        return self in (StopReason.COMPLETE, StopReason.CLOSED)


class Purpose(StrEnum):
    """What a request was for."""

    WRITE = "write"
    JUDGE = "judge"
    ANSWER = "answer"

    WARM = "warm"
    """To have the server read the prefix, so that it is in the cache when it is needed."""

    HEDGE = "hedge"
    """A rewrite begun early that turned out not to be needed."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step as it was written.

    ``trigger`` is why it was its author's turn (None for the SRM's ordinary writing); ``ratio`` is
    r_s of eq. 4, ``logprobs`` what it was computed from (nats; None for a sentinel), both only if
    they were requested; ``lengths`` are the characters of each token, as far as they are known (see
    ``token_lengths``). ``score`` is the judge's (0 to 9), ``reward`` the scorer's (0 to 1).
    ``standing`` is False for a draft. ``stretch`` is an index into the
    trace's stretches. ``top`` are the logprobs of the likeliest tokens, of SRM steps only.
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
    top: TopLogprobs = NOT_KEPT
    reward: float | None = None
    lengths: tuple[int, ...] = ()

    @property
    def without_probability(self) -> int:
        """Tokens left out of the ratio because the server gave a sentinel."""
        return sum(logprob is None for logprob in self.logprobs)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One request.

    ``completion_tokens`` counts every token that arrived; ``unused_tokens`` those of them that
    went into no step, score or answer before the stream was closed.
    ``prompt_tokens``, ``cached_tokens`` and ``generated_tokens`` (the completion as last counted)
    are as the server reported them, None if it did not.
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
    """``writer`` takes over with step ``step`` (an index into the trace's steps)."""

    step: int
    writer: Author
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens; cached input costs ``cached_input``, or ``input`` if that is None."""

    input: float
    output: float
    cached_input: float | None = None

    def cost(self, stretch: Stretch) -> float | None:
        """USD for one request, or None if the server did not report the prompt's length.

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
    """What one model did in a run. Tokens are the model's own; cost in USD, None if unknown."""

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
    """``author`` was unavailable: from step ``step`` (an index) on, the other one wrote alone.

    ``author`` is None if it was the scorer; then the LRM wrote alone, as no SRM step can be rated.
    """

    author: Author | None
    step: int
    reason: str

    @property
    def away(self) -> str:
        """What was unavailable, in a word."""
        return "scorer" if self.author is None else self.author.upper()

    @property
    def alone(self) -> Author:
        """Who wrote the rest."""
        return Author.LRM if self.author is None else self.author.other
