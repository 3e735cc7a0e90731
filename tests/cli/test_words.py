"""Handovers in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from trigreason.cli.words import how_it_ended, percent, why
from trigreason.events import HandedOver
from trigreason.reasoning import (
    Author,
    Direction,
    StepEnd,
    StepRecord,
    StopReason,
    Thresholds,
    Trigger,
)

UNDER = Direction.UNDER


def step(ratio: float = 0.0, tokens: int = 23, **how: Any) -> StepRecord:
    logprobs = (-0.5,) * tokens
    return StepRecord(
        Author.SRM, "A step.\n\n", tokens, StepEnd.BLANK_LINE, 0, None, logprobs, ratio, **how
    )


def said(trigger: Trigger | None, last: StepRecord, steps: int = 1, **thresholds: Any) -> Any:
    handover = HandedOver(Author.LRM, trigger, steps, last)
    earlier = step(hesitations=("wait",))
    return why(handover, [earlier, last], Thresholds(**thresholds))


@pytest.mark.parametrize(
    ("ratio", "thresholds", "told"),
    [
        (22 / 23, {}, "SRM overconfident: 96 % of 23 tokens below PPL 1.05 (ρ = 0.85)"),
        (14 / 23, {"rho": 0.9, "direction": UNDER}, "SRM unsure: only 61 % of 23 tokens below"),
        (0.851, {}, "85.1 %"),
        (0.85004, {}, "85.004 %"),
        (1.0, {"tau": 1.1}, "100 % of 23 tokens below PPL 1.1 (ρ = 0.85)"),
    ],
)
def test_offload(ratio: float, thresholds: dict[str, Any], told: str) -> None:
    sentence = said(Trigger.COGNITIVE_OFFLOAD, step(ratio), **thresholds)
    assert told in sentence
    assert sentence.endswith(" → LRM rewrites")


def test_tokens_without_a_probability_are_not_counted() -> None:
    half = StepRecord(
        Author.SRM, "Eh.\n\n", 2, StepEnd.BLANK_LINE, 0, None, (None, -0.001), ratio=1.0
    )
    assert "100 % of 1 token below" in said(Trigger.COGNITIVE_OFFLOAD, half)


def test_request() -> None:
    last = step(hesitations=("actually", "wait"))
    assert said(Trigger.INTERVENTION_REQUEST, last) == (
        "SRM hesitated in 2 steps in a row (“wait”, “actually”) → LRM writes 1 step"
    )
    assert said(Trigger.INTERVENTION_REQUEST, last, steps=3, k=1) == (
        "SRM hesitated (“actually”, “wait”) → LRM writes 3 steps"
    )


def test_many_hesitations_are_cut_short() -> None:
    last = step(hesitations=("a", "b", "c", "d", "e"))
    assert "(“a”, “b”, “c”, “d”, …)" in said(Trigger.INTERVENTION_REQUEST, last, k=1)


def test_the_others() -> None:
    assert said(Trigger.STRATEGIC_PRIMING, step()) == "LRM primes: writes the first step"
    assert said(Trigger.STRATEGIC_PRIMING, step(), 20) == "LRM primes: writes the first 20 steps"
    assert said(Trigger.JUDGE_REJECTION, step(score=3.0)) == (
        "LRM scores the step 3 of 9 (kept from 7) → LRM rewrites"
    )
    assert said(Trigger.LOW_REWARD, step(reward=0.62)) == (
        "reward 0.62 of 1 (kept from 0.7) → LRM rewrites"
    )
    assert said(None, step()) is None


@pytest.mark.parametrize(
    ("stop", "limit", "told"),
    [
        (StopReason.TRUNCATED, "context", "the model's context is full"),
        (StopReason.TRUNCATED, "seconds", "--seconds moves it"),
        (StopReason.TRUNCATED, "answer_tokens", "--answer-tokens moves it"),
        (StopReason.CLOSED, "steps", "--steps moves it"),
        (None, None, "did not come to its end"),
    ],
)
def test_ends(stop: StopReason | None, limit: str | None, told: str) -> None:
    assert told in (how_it_ended(stop, limit) or "")


def test_a_regular_end_needs_no_words() -> None:
    assert how_it_ended(StopReason.COMPLETE, None) is None


@pytest.mark.parametrize(
    ("share", "bound", "told"),
    [(0.5, None, "50 %"), (0.999, None, "100 %"), (0.75, 0.75, "75 %"), (0.7501, 0.75, "75.01 %")],
)
def test_percent(share: float, bound: float | None, told: str) -> None:
    assert percent(share, bound) == told
