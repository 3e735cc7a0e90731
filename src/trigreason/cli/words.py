"""Sentences about what happened in a run, with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.events import HandedOver
from trigreason.reasoning import (
    Author,
    Direction,
    StepRecord,
    StopReason,
    Thresholds,
    Trace,
    Trigger,
    methods,
)
from trigreason.reasoning.method_run import METHODS_END

SHOWN_EXPRESSIONS = 4


def why(handover: HandedOver, written: Sequence[StepRecord], thresholds: Thresholds) -> str | None:
    """Why another model writes now; None where the SRM merely goes on.

    ``written`` are the steps before the handover, drafts included.
    """
    match handover.trigger:
        case Trigger.STRATEGIC_PRIMING:
            return (
                f"LRM primes: writes the first {counted(handover.steps or 0, 'step', first=True)}"
            )
        case Trigger.COGNITIVE_OFFLOAD if handover.because:
            return f"{confidence(handover.because, thresholds)} → LRM rewrites"
        case Trigger.INTERVENTION_REQUEST:
            rectification = counted(handover.steps or 0, "step")
            return f"{hesitation(written, thresholds.k)} → LRM writes {rectification}"
        case Trigger.REPETITION:
            return f"SRM repeats itself → LRM writes {counted(handover.steps or 0, 'step')}"
        case Trigger.JUDGE_REJECTION if handover.because:
            score = f"{handover.because.score or 0:.2g}"
            bound = f"{thresholds.accept:g}"
            return f"LRM scores the step {score} of 9 (kept from {bound}) → LRM rewrites"
        case Trigger.LOW_REWARD if handover.because:
            reward = f"{handover.because.reward or 0:.2g}"
            return f"reward {reward} of 1 (kept from {thresholds.delta:g}) → LRM rewrites"
        case Trigger.METHOD if handover.steps:
            return f"the method → LRM writes {counted(handover.steps, 'step')}"
        case Trigger.METHOD:
            return "the method → LRM writes"
    return None


def confidence(step: StepRecord, thresholds: Thresholds) -> str:
    """A step's low-perplexity ratio compared with tau and rho."""
    share = percent(step.ratio or 0.0, thresholds.rho)
    tokens = counted(len(step.logprobs) - step.without_probability, "token")
    over = thresholds.direction is Direction.OVER
    feeling = "overconfident:" if over else "unsure: only"
    bounds = f"PPL {thresholds.tau:g} (ρ = {thresholds.rho:.2f})"
    return f"SRM {feeling} {share} of {tokens} below {bounds}"


def hesitation(written: Sequence[StepRecord], k: int) -> str:
    """The last k hesitating SRM steps and the words that gave them away."""
    steps = [
        step
        for step in written
        if step.standing and step.author is Author.SRM and step.text.strip()
    ]
    words = list(dict.fromkeys(word for step in steps[-k:] for word in step.hesitations))
    quoted = ", ".join(f"“{word}”" for word in words[:SHOWN_EXPRESSIONS])
    if len(words) > SHOWN_EXPRESSIONS:
        quoted += ", …"
    return (
        f"SRM hesitated in {k} steps in a row ({quoted})" if k > 1 else f"SRM hesitated ({quoted})"
    )


def how_it_ended(stop: StopReason | None, limit: str | None) -> str | None:
    """How a run ended, and what to do about it; None for a regular end."""
    if stop is StopReason.COMPLETE:
        return None
    if stop is None:
        return "The run did not come to its end."
    if stop is StopReason.EMPTY:
        return (
            "The models ended their turns without an answer. Ask again with another --seed; "
            "where it happens often, look at their templates with trigreason doctor."
        )
    if limit == "context" and stop is StopReason.CLOSED:
        return "The thinking was closed for the models, because their context is nearly full."
    if limit == "context":
        return (
            "Cut off: the model's context is full. "
            "Ask a shorter question, lower --thinking-tokens, or serve a larger context."
        )
    if limit == "repetition":
        return (
            "The models repeated themselves, so the thinking was closed for them; "
            "--repeats says after how many steps (0 for never)."
        )
    if limit == METHODS_END:
        return "The method closed the thinking for the models, by a rule of its own."
    flag = f"--{(limit or '').replace('_', '-')}"
    if stop is StopReason.CLOSED:
        return f"The thinking was closed for the models at its limit; {flag} moves it."
    return f"Cut off at the limit before the answer was finished; {flag} moves it."


def degraded(trace: Trace) -> str | None:
    """Which model stayed away, and since when; None for a run that had both."""
    if trace.degraded is None:
        return None
    away, step = trace.degraded, trace.degraded.step
    since = f"after {counted(step, 'step')}" if step else "from the beginning"
    return (
        f"Degraded: the {away.away} stayed away {since} ({away.reason}), "
        f"and the {away.alone.upper()} went on alone."
    )


def percent(share: float, bound: float | None = None) -> str:
    """A share in per cent, with enough digits to distinguish it from ``bound``."""
    for digits in range(4):
        text = f"{100 * share:.{digits}f}"
        if bound is None or share == bound or float(text) != round(100 * bound, digits):
            break
    return f"{text} %"


def counted(count: int, noun: str, *, first: bool = False) -> str:
    """``1 step``, ``2 steps``; with ``first``, ``step`` for one."""
    if count == 1:
        return noun if first else f"1 {noun}"
    return f"{count:,} {noun}s"


def settings(method: str, thresholds: Thresholds) -> str:
    """The thresholds that a method uses, with their symbols."""
    if method == "trigreason":
        side = "fires at r > ρ" if thresholds.direction is Direction.OVER else "fires at r < ρ"
        offload = "never fires" if thresholds.rho == 1 else side
        return (
            f"n = {thresholds.n}, τ = {thresholds.tau:g}, ρ = {thresholds.rho:g} "
            f"({offload}), k = {thresholds.k}, m = {thresholds.m}"
        )
    if method == "specreason":
        return f"steps kept from score {thresholds.accept:g}"
    if method == "rsd":
        return f"steps kept from reward {thresholds.delta:g}"
    entry = methods().get(method)
    names = sorted(entry.decides_by - {"expressions", "risk_model"}) if entry else []
    return ", ".join(f"{name} = {_value(getattr(thresholds, name))}" for name in names)


def _value(threshold: object) -> str:
    return " | ".join(threshold) if isinstance(threshold, tuple) else str(threshold)
