"""What was found out about an endpoint: findings with their evidence, and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from trigreason.engines.base import Capabilities, LogprobScale
from trigreason.engines.probing.facts import ServerKind


class State(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot tell"


class Topic(StrEnum):
    """What is asked of an endpoint; each is good when the answer is yes."""

    REACHABLE = "reachable"
    MODEL = "model"
    TEMPLATE = "template"
    """Where the prompt's template comes from is known, not guessed."""
    THINKING = "thinking"
    """The model thinks in the tags, or in the open, as it is taken to."""
    STEPS = "steps"
    """Its text falls into steps at blank lines."""
    PREFIX = "prefix"
    STREAMS = "streams"
    LOGPROBS = "logprobs"
    COMPLETE = "complete"
    """Every token has a logprob; none is a placeholder."""
    RAW = "raw"
    """Logprobs are those before temperature."""
    SEED = "seed"
    STOP = "stop"
    CLOSING = "closing"
    CACHE = "cache"
    QUESTION = "question"
    """The question stands in the prompt."""
    CONTEXT = "context"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer. ``evidence`` is what was seen, ``advice`` what to do about it, if anything."""

    topic: Topic
    state: State
    evidence: str
    advice: str | None = None


@dataclass(slots=True)
class Cost:
    """What the examination took: generating requests, tokens as counted or reported, seconds."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Measurements:
    """Numbers; None for what could not be measured. Seconds, tokens."""

    logprob_scale: LogprobScale | None = None
    max_alternatives: int | None = None
    context_tokens: int | None = None
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None


@dataclass(slots=True)
class Report:
    """An endpoint, examined. ``place`` is where it was looked for, as the user wrote it.

    ``dialect`` is how it was spoken to; it and ``model`` are None where that was not come to.
    """

    place: str
    model: str | None = None
    dialect: str | None = None
    server: ServerKind = ServerKind.UNKNOWN
    version: str | None = None
    findings: list[Finding] = field(default_factory=list)
    measured: Measurements = field(default_factory=Measurements)
    cost: Cost = field(default_factory=Cost)

    def state(self, topic: Topic) -> State:
        """The answer on a topic; ``cannot tell`` where it was not come to."""
        finding = self.finding(topic)
        return finding.state if finding else State.UNKNOWN

    def finding(self, topic: Topic) -> Finding | None:
        return next((each for each in self.findings if each.topic is topic), None)

    def advice(self, *topics: Topic) -> Sequence[str]:
        """What to do, in the findings' order; on these topics, or on all."""
        chosen = [each for each in self.findings if not topics or each.topic in topics]
        return list(dict.fromkeys(each.advice for each in chosen if each.advice))

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; ``docs/engines.md`` describes the shape."""
        return {
            "place": self.place,
            "model": self.model,
            "dialect": self.dialect,
            "server": {"kind": self.server.value, "version": self.version},
            "findings": [asdict(each) for each in self.findings],
            "measured": asdict(self.measured),
            "cost": asdict(self.cost),
        }


def measured_capabilities(report: Report, base: Capabilities) -> Capabilities:
    """``base`` with what the examination measured in the place of what was assumed.

    What it could not tell stays as it is in ``base``.
    """
    measured = report.measured
    state = report.state(Topic.LOGPROBS)
    return Capabilities(
        logprobs=base.logprobs if state is State.UNKNOWN else state is State.YES,
        logprob_scale=measured.logprob_scale or base.logprob_scale,
        max_alternatives=(
            base.max_alternatives
            if measured.max_alternatives is None
            else measured.max_alternatives
        ),
        context_tokens=measured.context_tokens or base.context_tokens,
        bills_closed_streams=base.bills_closed_streams,
    )
