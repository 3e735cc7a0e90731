"""Budgets: what is no limit, and which limit is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trigreason.budget import Budget


def test_defaults() -> None:
    assert Budget() == Budget(
        thinking_tokens=8192, answer_tokens=2048, step_tokens=512, steps=None, seconds=None
    )


@pytest.mark.parametrize(
    "limit", ["thinking_tokens", "answer_tokens", "step_tokens", "steps", "seconds"]
)
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_no_room(limit: str, value: float) -> None:
    settings: dict[str, Any] = {limit: value}
    with pytest.raises(ValueError, match=f"{limit.replace('_', ' ')} leaves no room"):
        Budget(**settings)


@pytest.mark.parametrize(
    ("tokens", "steps", "limit"),
    [
        (0, 0, None),
        (9, 2, None),
        (10, 2, "thinking_tokens"),
        (9, 3, "steps"),
        (11, 4, "thinking_tokens"),
    ],
)
def test_spent(tokens: int, steps: int, limit: str | None) -> None:
    assert Budget(thinking_tokens=10, steps=3).spent(tokens, steps) == limit


def test_steps_without_a_limit() -> None:
    assert Budget().spent(0, 10**6) is None


@pytest.mark.parametrize(
    ("own", "most", "thinking", "answer"),
    [
        ((8192, 2048), 10_240, 8192, 2048),
        ((8192, 2048), 10_239, 8191, 2048),
        ((8192, 2048), 4096, 3072, 1024),  # a quarter is kept for the answer
        ((8192, 5), 100, 95, 5),  # or less, where it may have no more
        ((10, 2048), 100, 10, 90),  # or more, where the thinking may have no more
        ((8192, 2048), 2, 1, 1),
        ((8192, 2048), 1, 1, 1),
    ],
)
def test_thinking_and_answer_within_one_limit(
    own: tuple[int, int], most: int, thinking: int, answer: int
) -> None:
    budget = Budget(thinking_tokens=own[0], answer_tokens=own[1], steps=7)
    within = budget.within(most)
    assert within == Budget(thinking_tokens=thinking, answer_tokens=answer, steps=7)
