"""The results of an examination: findings with their evidence, and measurements."""

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
    """What is tested; YES is the good result for every topic."""

    REACHABLE = "reachable"
    MODEL = "model"
    TEMPLATE = "template"
    """The chat template's source is known, not guessed."""
    THINKING = "thinking"
    """The model thinks in the expected tags, or in the open as expected."""
    STEPS = "steps"
    """Blank lines divide its text into steps."""
    PREFIX = "prefix"
    STREAMS = "streams"
    LOGPROBS = "logprobs"
    COMPLETE = "complete"
    """Every token has a logprob; none is a placeholder."""
    RAW = "raw"
    """Logprobs are from before temperature."""
    SEED = "seed"
    STOP = "stop"
    CLOSING = "closing"
    CACHE = "cache"
    QUESTION = "question"
    """The prompt contains the question."""
    CONTEXT = "context"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one test. ``evidence`` is what was observed, ``advice`` what to do about it."""

    topic: Topic
    state: State
    evidence: str
    advice: str | None = None


@dataclass(slots=True)
class Cost:
    """The cost of the examination: generating requests, tokens (counted or reported), seconds."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Measurements:
    """Measurements in seconds and tokens; None if something could not be measured."""

    logprob_scale: LogprobScale | None = None
    max_alternatives: int | None = None
    context_tokens: int | None = None
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None


@dataclass(slots=True)
class Report:
    """The report on an endpoint. ``place`` is its address as the user wrote it.

    ``model`` and ``dialect`` are None if the model could not be opened.
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
        """The result of a topic; UNKNOWN if it was not tested."""
        finding = self.finding(topic)
        return finding.state if finding else State.UNKNOWN

    def finding(self, topic: Topic) -> Finding | None:
        return next((finding for finding in self.findings if finding.topic is topic), None)

    def advice(self, *topics: Topic) -> Sequence[str]:
        """The advice of these topics, or of all, in the findings' order."""
        chosen = [finding for finding in self.findings if not topics or finding.topic in topics]
        return list(dict.fromkeys(finding.advice for finding in chosen if finding.advice))

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; ``docs/engines.md`` describes the shape."""
        return {
            "place": self.place,
            "model": self.model,
            "dialect": self.dialect,
            "server": {"kind": self.server.value, "version": self.version},
            "findings": [asdict(finding) for finding in self.findings],
            "measured": asdict(self.measured),
            "cost": asdict(self.cost),
        }


def measured_capabilities(report: Report, base: Capabilities) -> Capabilities:
    """``base`` with the values that the examination measured; the others stay."""
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
