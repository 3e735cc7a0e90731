"""A parsed request of any API, and the sampling and budget that follow from it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.engines.guides import Guide
from trigreason.gateway.forced_calls import ForcedCall
from trigreason.gateway.lenient import EndUser, LenientModel, MinP, TopK
from trigreason.gateway.naming import MAX_NAME, ThresholdChanges
from trigreason.reasoning import Message, Tool

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

EFFORTS: dict[Effort, float] = {
    "none": 1 / 16,
    "minimal": 1 / 16,
    "low": 1 / 4,
    "medium": 1 / 2,
    "high": 1.0,
    "xhigh": 1.0,
    "max": 1.0,
}
"""Shares of the pair's thinking budget; a request without an effort may use all of it.

``none`` is thinking that is off: these models always think, so it has the least share.
"""

Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Options(ThresholdChanges):
    """The ``trigreason`` object of a request: thresholds, method, budget, events."""

    method: Annotated[str | None, Field(max_length=40)] = None
    thinking_tokens: Annotated[
        int | None, Field(ge=1, description="Thinking budget, at most the pair's (tokens).")
    ] = None
    events: Annotated[
        bool, Field(description="Tell of each step, draft and handover beside the text.")
    ] = False
    trace: Annotated[
        bool, Field(description="Send the run's trace at its end, as solve --trace writes it.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """A parsed request.

    A text of ``stop`` ends the answer and is not part of it. ``cache_key`` names the conversation.
    ``ignored`` are the fields that the request has and that have no effect.
    Without ``parallel_calls`` the answer ends behind its first call of a tool. If a call is
    ``forced``, the answer is that call, and ``stop`` has no effect.
    """

    messages: tuple[Message, ...]
    choices: int = 1
    streamed: bool = False
    max_tokens: int | None = None
    effort: Effort | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    cache_key: str | None = None
    guide: Guide | None = None
    tools: tuple[Tool, ...] = ()
    parallel_calls: bool = True
    forced: ForcedCall | None = None
    options: Options = field(default_factory=Options)
    ignored: tuple[str, ...] = ()

    @property
    def bound_to(self) -> Guide | None:
        """What the answer must be, if it is no free text."""
        return self.forced.guide if self.forced else self.guide

    def sampling(self, configured: Sampling) -> Sampling:
        """The pair's sampling with the client's changes; without a seed, a random one."""
        return replace(
            configured,
            seed=secrets.randbelow(2**31) if self.seed is None else self.seed % 2**63,
            temperature=configured.temperature if self.temperature is None else self.temperature,
            top_p=configured.top_p if self.top_p is None else self.top_p,
            top_k=configured.top_k if self.top_k is None else self.top_k or None,
            min_p=configured.min_p if self.min_p is None else self.min_p,
        )

    def budget(self, configured: Budget, seconds: float, *, in_the_open: bool = False) -> Budget:
        """The pair's budget, lowered to what the client allows and to ``seconds``.

        ``in_the_open``: the models' thinking is their answer, so ``max_tokens`` bounds it.
        """
        thinking = int(configured.thinking_tokens * EFFORTS[self.effort or "high"])
        if self.options.thinking_tokens is not None:
            thinking = min(configured.thinking_tokens, self.options.thinking_tokens)
        until = seconds if configured.seconds is None else min(configured.seconds, seconds)
        budget = replace(configured, thinking_tokens=max(1, thinking), seconds=until)
        if self.max_tokens is None:
            return budget
        if in_the_open and self.bound_to is None:
            return replace(budget, thinking_tokens=min(budget.thinking_tokens, self.max_tokens))
        return budget.within(self.max_tokens)


class GenerationBody(LenientModel):
    """The fields that the bodies of OpenAI's routes have in common."""

    model: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    stream: bool | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    top_k: TopK = None
    min_p: MinP = None
    seed: Seed | None = None
    user: EndUser | None = None
    prompt_cache_key: str | None = None
    trigreason: Options | None = None

    def request(self, messages: tuple[Message, ...], **more: Any) -> GatewayRequest:
        """The request with these fields; ``more`` are the others of :class:`GatewayRequest`."""
        fields: dict[str, Any] = {
            "streamed": bool(self.stream),
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "seed": self.seed,
            "cache_key": self.prompt_cache_key,
            "options": self.trigreason or Options(),
        }
        return GatewayRequest(messages=messages, **fields | more)
