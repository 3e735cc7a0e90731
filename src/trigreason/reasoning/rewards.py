"""What a scorer did in a run: it rates steps and writes none, so it is no author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class RewardRequest:
    """One request for the reward of step ``step``, an index into the trace's steps.

    ``prompt_tokens`` is as the server reported it, None if it did not. ``began_seconds`` counts
    from the run's beginning. ``failed`` says in words what ended a request that failed.
    """

    step: int
    prompt_tokens: int | None = None
    seconds: float = 0.0
    began_seconds: float = 0.0
    failed: str | None = None


@dataclass(slots=True)
class ScorerLog:
    """The requests to the scorer ``model``, whose ``price`` is in USD per million tokens read.

    The model is None until it is known, if the server has to say it. An unknown price is None.
    """

    model: str | None = None
    price: float | None = None
    requests: list[RewardRequest] = field(default_factory=list)

    @property
    def prompt_tokens(self) -> int | None:
        """The tokens read; None if the server did not report them for every answer."""
        answered = [each.prompt_tokens for each in self.requests if each.failed is None]
        known = [tokens for tokens in answered if tokens is not None]
        return sum(known) if len(known) == len(answered) else None

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.requests)

    @property
    def usd(self) -> float | None:
        """What the rewards cost in USD; None if the price or the tokens are unknown."""
        tokens = self.prompt_tokens
        return None if self.price is None or tokens is None else tokens * self.price / 1e6

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        requests = [RewardRequest(**each) for each in values["requests"]]
        return cls(**{**values, "requests": requests})

    def totals(self) -> dict[str, Any]:
        """The scorer's numbers, as ``totals`` has them for each author."""
        return {
            "model": self.model,
            "requests": len(self.requests),
            "prompt_tokens": self.prompt_tokens,
            "seconds": self.seconds,
            "usd": self.usd,
        }
