"""How a request bounds a run: budgets and sampling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.gateway.gateway_request import EFFORTS, Effort, GatewayRequest, Options
from trigreason.reasoning import Message

MESSAGES = (Message("user", "Why?"),)
OWN = Budget(thinking_tokens=8000, answer_tokens=2000)


def budget(
    own: Budget = OWN,
    *,
    max_tokens: int | None = None,
    effort: Effort | None = None,
    thinking: int | None = None,
    seconds: float = 900,
) -> Budget:
    options = Options(thinking_tokens=thinking)
    asked = GatewayRequest(messages=MESSAGES, max_tokens=max_tokens, effort=effort, options=options)
    return asked.budget(own, seconds)


@pytest.mark.parametrize(
    ("effort", "thinking"),
    [
        *((None, 8000), ("none", 500), ("minimal", 500), ("low", 2000), ("medium", 4000)),
        *(("high", 8000), ("xhigh", 8000), ("max", 8000)),
    ],
)
def test_an_effort_is_a_share_of_the_thinking(effort: Effort | None, thinking: int) -> None:
    got = budget(effort=effort)
    assert (got.thinking_tokens, got.answer_tokens) == (thinking, 2000)


@pytest.mark.parametrize(
    ("max_tokens", "thinking", "answer"),
    [
        (1, 1, 1),
        (2, 1, 1),
        (3, 2, 1),
        (4, 3, 1),
        (100, 75, 25),
        (8000, 6000, 2000),
        (9000, 7000, 2000),
        (9999, 7999, 2000),
        (10_000, 8000, 2000),
        (10**12, 8000, 2000),
    ],
)
def test_a_limit_bounds_thinking_and_answer_together(
    max_tokens: int, thinking: int, answer: int
) -> None:
    got = budget(max_tokens=max_tokens)
    assert (got.thinking_tokens, got.answer_tokens) == (thinking, answer)


def test_a_thinking_budget_is_at_most_the_pairs_and_goes_before_an_effort() -> None:
    assert budget(thinking=50).thinking_tokens == 50
    assert budget(thinking=10**9).thinking_tokens == 8000
    assert budget(thinking=5000, effort="minimal").thinking_tokens == 5000


def test_seconds_are_the_fewer() -> None:
    assert budget(seconds=5).seconds == 5
    assert budget(Budget(seconds=3), seconds=5).seconds == 3
    assert budget(Budget(seconds=7), seconds=5).seconds == 5


@settings(deadline=None)
@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.integers(1, 30_000) | st.none(),
    st.sampled_from([None, *EFFORTS]),
    st.integers(1, 20_000) | st.none(),
)
def test_no_budget_is_passed(
    thinking: int, answer: int, limit: int | None, effort: Effort | None, wanted: int | None
) -> None:
    own = Budget(thinking_tokens=thinking, answer_tokens=answer, steps=3, step_tokens=9)
    got = budget(own, max_tokens=limit, effort=effort, thinking=wanted)
    assert 1 <= got.thinking_tokens <= thinking
    assert 1 <= got.answer_tokens <= answer
    assert (got.steps, got.step_tokens) == (3, 9)
    if wanted is not None:
        assert got.thinking_tokens <= wanted
    if limit is not None:
        assert got.thinking_tokens + got.answer_tokens <= max(2, limit)


def test_sampling_is_the_pairs_where_nothing_is_said() -> None:
    own = Sampling(temperature=0.3, top_p=0.8, top_k=7, min_p=0.1, seed=5)
    got = GatewayRequest(messages=MESSAGES, seed=0, temperature=0.0).sampling(own)
    assert got == Sampling(temperature=0.0, top_p=0.8, top_k=7, min_p=0.1, seed=0)
    assert GatewayRequest(messages=MESSAGES, seed=1, top_p=0.5).sampling(own).top_p == 0.5
    for asked, drawn in ((None, 7), (0, None), (1, 1), (40, 40)):
        assert GatewayRequest(messages=MESSAGES, top_k=asked).sampling(own).top_k == drawn
    for least in (0.0, 0.5):
        assert GatewayRequest(messages=MESSAGES, min_p=least).sampling(own).min_p == least


def test_without_a_seed_every_answer_has_another() -> None:
    asked = GatewayRequest(messages=MESSAGES)
    assert len({asked.sampling(Sampling(seed=5)).seed for _ in range(20)}) == 20


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_any_seed_can_be_used(seed: int) -> None:
    got = GatewayRequest(messages=MESSAGES, seed=seed).sampling(Sampling()).seed
    assert 0 <= got < 2**63
    assert seed < 0 or got == seed


@pytest.mark.parametrize(
    "values",
    [
        {"thinking_tokens": 0},
        {"rho": 2},
        {"rho": float("nan")},
        {"tau": float("inf")},
        {"events": "perhaps"},
        {"method": "x" * 41},
        {"expressions": ["wait"]},
        {"unknown": 1},
    ],
)
def test_options_that_make_no_sense(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(values)
