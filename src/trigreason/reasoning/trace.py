"""The record of a run, and its arithmetic.

A trace holds every step in the order in which it was written, drafts included, and every request
that was sent. Everything else (SMT, tokens and requests per model, handovers, cost) follows from
these two lists, so the counts cannot disagree. See ``trace_json`` for its form on disk.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from trigreason.reasoning.messages import Message
from trigreason.reasoning.steps import Author, StepBreak, StepEnd
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.triggers import Trigger

_Number = TypeVar("_Number", int, float)


class StopReason(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """The thinking was closed by its author and the answer finished."""

    CLOSED = "closed"
    """A budget of thinking was spent; the thinking was closed for it and the answer finished."""

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


@dataclass(slots=True)
class Trace:
    """One run, from question to answer.

    ``answer_by`` counts the answer's tokens by who wrote them, in the order of writing. A run
    ``in_the_open`` marks no thinking: its text is thinking and answer in one, every token of it
    counts as thinking, and ``answer`` repeats the part that gives the answer.
    """

    method: str
    thresholds: Thresholds
    messages: tuple[Message, ...]
    models: dict[Author, str]
    sampling: dict[str, Any] = field(default_factory=dict)
    logprob_scale: str = "raw"
    prices: dict[Author, Prices] = field(default_factory=dict)
    in_the_open: bool = False
    step_break: StepBreak = StepBreak.BLANK_LINE
    steps: list[StepRecord] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    answer: str = ""
    answer_by: dict[Author, int] = field(default_factory=dict)
    degraded: Degraded | None = None
    stop: StopReason | None = None
    limit: str | None = None
    unreadable_scores: int = 0
    seconds: float = 0.0

    @property
    def standing(self) -> list[StepRecord]:
        return [step for step in self.steps if step.standing]

    @property
    def drafts(self) -> list[StepRecord]:
        return [step for step in self.steps if not step.standing]

    @property
    def thinking(self) -> str:
        """The final thinking: the standing steps joined."""
        return "".join(step.text for step in self.standing)

    @property
    def reply(self) -> str:
        """What a user of the model reads: the answer, or in the open the whole text."""
        return self.thinking.strip() if self.in_the_open else self.answer

    @property
    def reply_tokens(self) -> int:
        """The tokens of the reply."""
        return self.thinking_tokens if self.in_the_open else self.answer_tokens

    @property
    def thinking_tokens(self) -> int:
        return sum(step.tokens for step in self.standing)

    @property
    def answer_author(self) -> Author | None:
        """Who finished the answer."""
        return next(reversed(self.answer_by), None)

    @property
    def answer_tokens(self) -> int:
        return sum(self.answer_by.values())

    @property
    def smt(self) -> float | None:
        """Share of the final thinking's tokens that the SRM wrote; None without any thinking."""
        total = self.thinking_tokens
        if not total:
            return None
        return sum(step.tokens for step in self.standing if step.author is Author.SRM) / total

    @property
    def handovers(self) -> list[Handover]:
        """Every change of author between successive standing steps, and each rewrite."""
        changes: list[Handover] = []
        writer: Author | None = None
        for index, step in enumerate(self.steps):
            opened_by_trigger = writer is None and step.trigger is not None
            if opened_by_trigger or (writer is not None and step.author is not writer):
                changes.append(Handover(index, step.author, step.trigger))
            writer = step.author
        return changes

    @property
    def handovers_by_trigger(self) -> dict[Trigger, int]:
        """How often each trigger handed over to the LRM."""
        counts = Counter(each.trigger for each in self.handovers if each.trigger is not None)
        return {trigger: counts[trigger] for trigger in Trigger if counts[trigger]}

    def fired_after(self, index: int) -> Trigger | None:
        """The trigger that fired on the SRM's step ``index``, also where the run ended with it."""
        step = self.steps[index]
        if not step.standing:
            return Trigger.COGNITIVE_OFFLOAD if step.score is None else Trigger.JUDGE_REJECTION
        if index + 1 < len(self.steps):
            following = self.steps[index + 1]
            return following.trigger if following.author is Author.LRM else None
        return None

    def use(self, author: Author) -> ModelUse:
        """What ``author``'s model did, in requests, tokens, seconds and USD."""
        own = [each for each in self.stretches if each.author is author]
        steps = [step for step in self.steps if step.author is author]
        prompts = [each.prompt_tokens for each in own]
        cached = [each.cached_tokens for each in own]
        price = self.prices.get(author)
        costs = [price.cost(each) if price else None for each in own]
        return ModelUse(
            requests=len(own),
            prompt_tokens=_sum(prompts),
            cached_tokens=_sum(cached),
            completion_tokens=sum(each.completion_tokens for each in own),
            standing_tokens=sum(step.tokens for step in steps if step.standing),
            draft_tokens=sum(step.tokens for step in steps if not step.standing),
            answer_tokens=self.answer_by.get(author, 0),
            judge_tokens=sum(
                each.completion_tokens for each in own if each.purpose is Purpose.JUDGE
            ),
            unused_tokens=sum(each.unused_tokens for each in own),
            seconds=sum(each.seconds for each in own),
            usd=_sum(costs) if price else None,
        )

    @property
    def usd(self) -> float | None:
        """Cost of the run in USD; None unless it is known for every model that was asked."""
        asked = {each.author for each in self.stretches}
        return _sum([self.use(author).usd for author in asked])

    def fingerprint(self) -> str:
        """A digest of what was thought and decided, without the clock and the wire.

        Two runs with the same fingerprint wrote the same steps by the same authors for the same
        reasons and gave the same answer. Seconds, cache hits, tokens that arrived too late to be
        used, and the last digits of probabilities stay out of it.
        """
        kept = [
            [step.author, step.text, step.tokens, step.trigger, step.standing, step.score]
            for step in self.steps
        ]
        told = [self.method, self.thresholds.to_json(), list(self.messages), kept, self.answer]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _sum(values: Sequence[_Number | None]) -> _Number | None:
    """The sum, or None as soon as one value is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
