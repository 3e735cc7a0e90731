"""Streaming, speed and the prefix cache, judged from when tokens arrive and from usage."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from trigreason.engines.base import Usage
from trigreason.engines.probing.probe_requests import ProbeAnswer
from trigreason.engines.probing.report import Finding, State, Topic

FEW_TOKENS = 8
"""Fewer are too few to judge streaming by."""
AT_ONCE = 0.02
"""A stream that arrives within this share of the answer's time was buffered."""


def judge_streaming(answer: ProbeAnswer) -> Finding:
    """Whether an answer came token by token."""
    characters = len(answer.text)
    if answer.generated < FEW_TOKENS and characters < 5 * FEW_TOKENS:
        evidence = f"only {answer.generated} tokens came"
        return Finding(Topic.STREAMS, State.UNKNOWN, evidence)
    pieces = len(answer.arrivals)
    if pieces == 1 or answer.spread_seconds < AT_ONCE * answer.seconds:
        where = "in one piece" if pieces == 1 else f"within {1000 * answer.spread_seconds:.0f} ms"
        evidence = (
            f"{characters} characters came {where} after {seconds(answer.arrivals[-1].seconds)}"
        )
        return Finding(Topic.STREAMS, State.NO, evidence)
    between = statistics.median(
        later.seconds - earlier.seconds
        for earlier, later in zip(answer.arrivals, answer.arrivals[1:], strict=False)
    )
    per_arrival = f"{answer.generated / pieces:.1f} each"
    evidence = (
        f"{answer.generated} tokens in {pieces} arrivals ({per_arrival}), {seconds(between)} apart"
    )
    return Finding(Topic.STREAMS, State.YES, evidence)


def judge_speed(
    answers: Sequence[ProbeAnswer], long: ProbeAnswer
) -> tuple[Finding, float | None, float | None]:
    """The median time to the first token (seconds), and tokens per second of a long answer."""
    times = [answer.first_token_seconds for answer in answers]
    first = [time for time in times if time is not None]
    if not first:
        return Finding(Topic.SPEED, State.UNKNOWN, "no token came"), None, None
    median = statistics.median(first)
    rate = long.tokens_per_second
    evidence = f"first token {seconds(median)} (median of {len(first)})"
    if rate is not None:
        evidence += f", {rate:,.0f} tokens/s"
    return Finding(Topic.SPEED, State.YES, evidence), median, rate


def judge_cache(usage: Usage) -> Finding:
    """Whether the server reports cached tokens for the second of two identical prompts."""
    if usage.cached_tokens is None:
        return Finding(Topic.CACHE, State.NO, "no count of cached tokens in the answer")
    total = f" of {usage.prompt_tokens}" if usage.prompt_tokens else ""
    evidence = f"{usage.cached_tokens}{total} tokens when the same prompt came again"
    return Finding(Topic.CACHE, State.YES if usage.cached_tokens else State.NO, evidence)


def seconds(value: float) -> str:
    """A time in the unit that fits it."""
    if value < 0.01:
        return f"{1000 * value:.1f} ms"
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"
