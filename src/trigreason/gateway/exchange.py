"""One request to the gateway and its progress: the source of records and telemetry.

An exchange is one HTTP request; it has one run per requested choice. Whatever follows from a
run's trace is derived here and stored nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter

from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.passed import PassedUse
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
    MESSAGES = "messages"
    TEXT = "text"
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"


class ExchangeOutcome(StrEnum):
    """How an exchange ended, as records and metrics name it."""

    FINISHED = "finished"
    """Every run ended, including runs that a limit cut short."""

    CANCELLED = "cancelled"
    """The client disconnected, or did not read the response."""

    REFUSED = "refused"
    """Refused: full queue, a limit of the key, or a conversation that no model accepts."""

    FAILED = "failed"
    """A model or the gateway failed."""

    EXPIRED = "expired"
    """The request's time was over before it got a place."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a model name stands for: a pair, a method, thresholds (None: the pair's)."""

    pair: str
    method: str = "trigreason"
    thresholds: Thresholds | None = None


@dataclass(slots=True)
class ChoiceRun:
    """One choice of an exchange. Seconds are since the exchange began."""

    index: int = 0
    trace: Trace | None = None
    first_reasoning_seconds: float | None = None
    first_answer_seconds: float | None = None
    finish_reason: str | None = None
    """OpenAI's ``stop``, ``length`` or ``tool_calls``; None while the run goes on."""
    stop_text: str | None = None
    """The client's stop string that ended the answer, if one did."""

    @property
    def opening(self) -> Stretch | None:
        """The first writing request whose prompt tokens the server reported."""
        written = (Purpose.WRITE, Purpose.ANSWER)
        stretches = self.trace.stretches if self.trace else []
        writing = (stretch for stretch in stretches if stretch.purpose in written)
        return next((stretch for stretch in writing if stretch.prompt_tokens is not None), None)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One HTTP request, from its acceptance to its end.

    ``model`` is the name as the client wrote it; ``source`` is the key's id or the client's
    address, between which places are shared fairly. ``conversation`` is its id if the client names
    one. ``spent`` includes runs that failed.
    """

    id: str
    api: Api
    model: str
    choice: ModelChoice
    streamed: bool
    source: str
    key: ActiveKey | None = None
    conversation: str | None = field(default=None, repr=False)
    runs: list[ChoiceRun] = field(default_factory=list)
    admitted: bool = False
    """Whether the key's limits let it through; its reservation ends when its record is entered."""

    created: float = field(default_factory=time.time)
    began: float = field(default_factory=perf_counter)
    queued_seconds: float = 0.0
    seconds: float = 0.0
    outcome: ExchangeOutcome | None = None
    error: str | None = None
    """The name of what failed, such as ``EngineUnreachable``; never a message (it may quote)."""
    passed: PassedUse | None = None
    """What a request used that was passed on to an engine; such an exchange has no traces."""

    request_id: str = ""
    """The ``x-request-id`` of its response."""

    traceparent: str | None = None
    """The request's ``traceparent`` header (W3C Trace Context), if it had one."""
    tells_traces: bool = False
    """Whether the response has the whole traces."""

    ignored: tuple[str, ...] = ()
    """Fields of the request that had no effect, as the client is told."""

    @property
    def traces(self) -> Sequence[Trace]:
        return [run.trace for run in self.runs if run.trace is not None]

    @property
    def prompt(self) -> Prompt:
        """The conversation's tokens as the first model that was asked counts them.

        Estimated if no server reports them; 0 if no model has read the conversation.
        """
        if self.passed is not None:
            return Prompt(self.passed.prompt_tokens, self.passed.is_estimate)
        read = [prompt for trace in self.traces if (prompt := prompt_of(trace)).tokens]
        return min(read, key=lambda prompt: prompt.is_estimate, default=Prompt(0, False))

    @property
    def cached_tokens(self) -> int | None:
        """The tokens of ``opening``'s prompt that came from the server's prefix cache."""
        if self.passed is not None:
            return self.passed.usage.cached_tokens
        opening = next((run.opening for run in self.runs if run.opening), None)
        return opening.cached_tokens if opening else None

    @property
    def reasoning_tokens(self) -> int:
        """Accepted tokens of thinking, by both models; 0 for models that think in the open."""
        return sum(trace.thinking_tokens for trace in self.traces if not trace.in_the_open)

    @property
    def answer_tokens(self) -> int:
        """Tokens of the content that clients get, by both models."""
        if self.passed is not None:
            return self.passed.completion_tokens
        return sum(trace.reply_tokens for trace in self.traces)

    @property
    def draft_tokens(self) -> int:
        return sum(step.tokens for trace in self.traces for step in trace.drafts)

    @property
    def degraded(self) -> bool:
        return any(trace.degraded is not None for trace in self.traces)

    @property
    def spent(self) -> Spent:
        """What the models cost in USD, estimated if their servers reported no usage."""
        if self.passed is not None:
            return self.passed.spent
        return Spent.together(spent(trace) for trace in self.traces)

    def generated(self, author: Author) -> int:
        """Every token that a model wrote, including discarded ones."""
        return sum(trace.use(author).completion_tokens for trace in self.traces)

    def requests(self, author: Author) -> int:
        """How many requests were sent to a model."""
        return sum(trace.use(author).requests for trace in self.traces)

    def trace_id(self, run: ChoiceRun) -> str:
        """The id under which a client can get a run's trace."""
        return self.id if run.index == 0 else f"{self.id}-{run.index}"
