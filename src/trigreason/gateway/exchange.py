"""One request to the gateway and what has become of it: what records and telemetry are made from.

An exchange is one HTTP request; it has a run for each choice that was asked for. Everything that
can be derived from a run's trace is derived here, and nowhere stored beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter

from trigreason.gateway.keys import ActiveKey
from trigreason.reasoning import (
    Author,
    Prompt,
    Purpose,
    Spent,
    Stretch,
    Thresholds,
    Trace,
    prompt_of,
    spent,
)


class Api(StrEnum):
    CHAT = "chat"
    RESPONSES = "responses"


class ExchangeOutcome(StrEnum):
    """How an exchange ended, as records and metrics name it."""

    FINISHED = "finished"
    """Every run came to its end, be it one that a limit cut short."""

    CANCELLED = "cancelled"
    """The client went away, or did not read."""

    REFUSED = "refused"
    """Turned away: no place, a limit of the key, or a conversation that no model can take."""

    FAILED = "failed"
    """A model or the gateway failed."""

    EXPIRED = "expired"
    """The request's seconds were over before it had a place."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a model name stands for: a pair, a method, thresholds (None: the pair's own)."""

    pair: str
    method: str = "trigreason"
    thresholds: Thresholds | None = None


@dataclass(slots=True)
class ChoiceRun:
    """One choice of an exchange. Seconds count from the exchange's beginning."""

    index: int = 0
    trace: Trace | None = None
    first_reasoning_seconds: float | None = None
    first_answer_seconds: float | None = None
    finish_reason: str | None = None
    """``stop`` or ``length``, as OpenAI's API says it; None while the run goes on."""

    @property
    def opening(self) -> Stretch | None:
        """The first request that wrote and whose prompt the server counted."""
        written = (Purpose.WRITE, Purpose.ANSWER)
        stretches = self.trace.stretches if self.trace else []
        counted = (each for each in stretches if each.purpose in written)
        return next((each for each in counted if each.prompt_tokens is not None), None)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One HTTP request, from its acceptance to its end.

    ``model`` is the name as the client wrote it; ``source`` is who it is fair to, a key's id or a
    client's address. What a run that failed half-way has ``spent`` counts too.
    """

    id: str
    api: Api
    model: str
    choice: ModelChoice
    streamed: bool
    source: str
    key: ActiveKey | None = None
    runs: list[ChoiceRun] = field(default_factory=list)
    admitted: bool = False
    """The key's limits let it through, and hold something back for it until it is in the books."""

    created: float = field(default_factory=time.time)
    began: float = field(default_factory=perf_counter)
    queued_seconds: float = 0.0
    seconds: float = 0.0
    outcome: ExchangeOutcome | None = None
    error: str | None = None
    """The kind of what failed, such as ``EngineUnreachable``; never a text with a prompt in it."""
    traceparent: str | None = None
    """The header of that name (W3C Trace Context), where the request had one."""

    @property
    def traces(self) -> Sequence[Trace]:
        return [run.trace for run in self.runs if run.trace is not None]

    @property
    def prompt(self) -> Prompt:
        """The conversation's tokens as the model that was first asked counts them.

        Where no server tells, they are estimated; 0 where no model has read it.
        """
        read = [prompt for trace in self.traces if (prompt := prompt_of(trace)).tokens]
        return min(read, key=lambda prompt: prompt.is_estimate, default=Prompt(0, False))

    @property
    def cached_tokens(self) -> int | None:
        """Those of the first counted prompt that were read before."""
        opening = next((run.opening for run in self.runs if run.opening), None)
        return opening.cached_tokens if opening else None

    @property
    def reasoning_tokens(self) -> int:
        """Tokens of thinking that stands, by both models; none where they think in the open."""
        return sum(trace.thinking_tokens for trace in self.traces if not trace.in_the_open)

    @property
    def answer_tokens(self) -> int:
        """Tokens of what clients get as content, by both models."""
        return sum(trace.reply_tokens for trace in self.traces)

    @property
    def draft_tokens(self) -> int:
        return sum(step.tokens for trace in self.traces for step in trace.drafts)

    @property
    def degraded(self) -> bool:
        return any(trace.degraded is not None for trace in self.traces)

    @property
    def spent(self) -> Spent:
        """What the models cost in USD, estimated where their servers did not tell."""
        return Spent.together(spent(trace) for trace in self.traces)

    def generated(self, author: Author) -> int:
        """Every token that a model wrote, also what was thrown away or came too late."""
        return sum(trace.use(author).completion_tokens for trace in self.traces)

    def requests(self, author: Author) -> int:
        """How many requests were sent to a model."""
        return sum(trace.use(author).requests for trace in self.traces)

    def trace_id(self, run: ChoiceRun) -> str:
        """The name under which a run's trace can be asked for."""
        return self.id if run.index == 0 else f"{self.id}-{run.index}"
