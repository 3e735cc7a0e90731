"""The record of a finished exchange."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.reasoning import Author, trace_to_json

LONGEST_TEXT = 500
"""The most characters of a model's name, which a client writes, and of an error's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A finished exchange. Times are in seconds, ``created`` since 1970; ``key`` is a key's id.

    ``srm_tokens`` and ``lrm_tokens`` are all that a model wrote. ``traces`` are by trace id, empty
    unless traces are kept. ``usd`` and ``prompt_tokens`` are estimates if no server reported
    them; ``prompt_tokens`` is None if no model has read the prompt.
    """

    id: str
    key: str | None
    api: str
    model: str
    pair: str
    method: str
    created: float
    streamed: bool
    outcome: str
    error: str | None
    degraded: bool
    seconds: float
    queued_seconds: float
    first_reasoning_seconds: float | None
    first_answer_seconds: float | None
    prompt_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int
    answer_tokens: int
    draft_tokens: int
    srm_tokens: int
    lrm_tokens: int
    srm_requests: int
    lrm_requests: int
    runs: int
    usd: float | None
    usd_is_estimate: bool = False
    prompt_is_estimate: bool = False
    traces: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, exchange: Exchange, *, keep_traces: bool) -> Self:
        """The record of an exchange that has ended."""
        assert exchange.outcome is not None, "only an ended exchange has a record"
        runs, cost = exchange.runs, exchange.spent
        return cls(
            id=exchange.id,
            key=exchange.key.id if exchange.key else None,
            api=exchange.api.value,
            model=_storable(exchange.model),
            pair=exchange.choice.pair,
            method=exchange.choice.method,
            created=exchange.created,
            streamed=exchange.streamed,
            outcome=exchange.outcome.value,
            error=None if exchange.error is None else _storable(exchange.error),
            degraded=exchange.degraded,
            seconds=exchange.seconds,
            queued_seconds=exchange.queued_seconds,
            first_reasoning_seconds=_first(run.first_reasoning_seconds for run in runs),
            first_answer_seconds=_first(run.first_answer_seconds for run in runs),
            prompt_tokens=exchange.prompt.tokens or None,
            cached_tokens=exchange.cached_tokens,
            reasoning_tokens=exchange.reasoning_tokens,
            answer_tokens=exchange.answer_tokens,
            draft_tokens=exchange.draft_tokens,
            srm_tokens=exchange.generated(Author.SRM),
            lrm_tokens=exchange.generated(Author.LRM),
            srm_requests=exchange.requests(Author.SRM),
            lrm_requests=exchange.requests(Author.LRM),
            runs=len(runs),
            usd=cost.usd,
            usd_is_estimate=cost.is_estimate,
            prompt_is_estimate=exchange.prompt.is_estimate,
            traces=dict(_traces(exchange, runs)) if keep_traces else {},
        )

    @property
    def tokens(self) -> int:
        """The tokens that count against tokens_per_minute: those of the client's usage."""
        return (self.prompt_tokens or 0) + self.reasoning_tokens + self.answer_tokens

    @property
    def ended(self) -> float:
        """When the exchange ended; its use counts in this minute, day and month."""
        return self.created + self.seconds

    @property
    def was_served(self) -> bool:
        """Whether it got as far as the models, and so counts for the key's average."""
        return self.outcome != ExchangeOutcome.REFUSED

    def to_json(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """The inverse of :meth:`to_json`. Raises ValueError if this is not a record."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"this is no record: {error}") from error

    def to_line(self) -> bytes:
        """One line of JSON in ASCII, with its newline."""
        return json.dumps(self.to_json(), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """The inverse of :meth:`to_line`. Raises ValueError if the line is damaged."""
        return cls.from_json(json.loads(line))


def _traces(exchange: Exchange, runs: list[ChoiceRun]) -> list[tuple[str, dict[str, Any]]]:
    return [(exchange.trace_id(run), trace_to_json(run.trace)) for run in runs if run.trace]


def _first(seconds: Iterable[float | None]) -> float | None:
    return min((time for time in seconds if time is not None), default=None)


def _storable(text: str) -> str:
    """A text that every database accepts: no NUL, no lone surrogate, not too long."""
    whole = text[:LONGEST_TEXT].encode(errors="replace").decode()
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
