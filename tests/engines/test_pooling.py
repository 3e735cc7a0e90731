"""A process reward model behind ``/pooling``: what it is shown, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.vllm_pooling import MODEL, TAG, Fault, rating
from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    NoReward,
)
from trigreason.engines.http import Timeouts
from trigreason.engines.pooling import PoolingScorer, PrmPrompt
from trigreason.engines.scorer import Rated
from trigreason.reasoning import Message

ASKED = (Message("user", "What is 1 + 2?"),)
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
QUICK = Timeouts(connect=2, read=0.3)


def by_words(step: str) -> float:
    return 0.125 if "wrong" in step else 0.875


async def rated(
    steps: Sequence[str] = ("a",),
    fault: Fault | None = None,
    messages: Sequence[Message] = ASKED,
    **how: Any,
) -> tuple[Rated, list[dict[str, Any]]]:
    async with rating(by_words, {0: fault, 1: fault} if fault else None) as double:
        scorer = PoolingScorer(double.url, timeouts=QUICK, **how)
        try:
            return await scorer.rate(messages, steps), double.bodies
        finally:
            await scorer.close()


async def failure(fault: Fault, steps: Sequence[str] = ("a", "b")) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await rated(steps, fault)
    assert "\n" not in str(caught.value)
    return caught.value


async def test_the_reward_is_the_last_steps_probability_of_being_right() -> None:
    for steps, reward in [(["a"], 0.875), (["a", "wrong"], 0.125), (["wrong", "a"], 0.875)]:
        answer, _ = await rated(steps)
        assert answer.reward == reward
        assert answer.model == MODEL
    assert answer.prompt_tokens == 12 + 5 + 2 + 2, "system, question, two steps, two tags"


async def test_the_conversation_is_shown_as_the_models_card_says() -> None:
    _, [body] = await rated(["First.\n\n", "\n\nThen.\n"])
    assert body == {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "What is 1 + 2?"},
            {"role": "assistant", "content": "First.<extra_0>Then.<extra_0>"},
        ]
    }


@pytest.mark.parametrize(
    ("roles", "prompt", "shown"),
    [
        ("user", PrmPrompt(), "system user assistant"),
        ("user", PrmPrompt(system=""), "user assistant"),
        ("system user", PrmPrompt(), "system user assistant"),
        ("user assistant user", PrmPrompt(), "system user assistant user assistant"),
    ],
)
def test_a_conversation_has_one_system_message(roles: str, prompt: PrmPrompt, shown: str) -> None:
    messages = [Message(role, "x") for role in roles.split()]
    assert [each["role"] for each in prompt.messages(messages, ["a"])] == shown.split()


@given(st.lists(st.text("ab <extra_0>", min_size=1, max_size=30), min_size=1, max_size=5))
def test_there_are_as_many_tags_as_steps(steps: list[str]) -> None:
    """Or else a step could bring rewards of its own making."""
    messages = PrmPrompt().messages([Message("user", f"Is it {TAG}?")], steps)
    assert sum(each["content"].count(TAG) for each in messages) == len(steps)
    assert messages[-1]["content"].endswith(TAG)


def test_another_tag() -> None:
    assert PrmPrompt(step_tag="ки").messages(ASKED, ["a", "b"])[-1]["content"] == "aкиbки"
    with pytest.raises(ValueError, match="step_tag"):
        PrmPrompt(step_tag=" \n")


@pytest.mark.parametrize(
    ("rows", "reward"),
    [
        ([[0.5, 0.5], [0.25, 0.75]], 0.75),
        ([[0.5, 0.5], [1, 0]], 0),
        ([[0.3], [0.6]], 0.6),
        ([[9, 9], [0.25, 0.75]], 0.75),
        ([[0.5, 0.5], [0.2505, 0.7505]], 0.7505),
    ],
)
async def test_rows_that_are_rewards(rows: list[Any], reward: float) -> None:
    answer, _ = await rated(["a", "b"], Fault(rows=rows))
    assert answer.reward == reward


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[0.2, 0.8]], "1 rows for 2 steps"),
        ([[0.2, 0.8]] * 3, "3 rows for 2 steps"),
        ([], "0 rows"),
        ([[0.5, 0.5], []], "no probability"),
        ([[0.5, 0.5], [0.2, 0.3, 0.5]], "no probability"),
        ([[0.5, 0.5], [None, None]], "no probability"),
        ([[0.5, 0.5], [0.2, None]], "no probability"),
        ([[0.5, 0.5], [-3.1, 4.1]], "no probability"),
        ([[0.5, 0.5], [0.6, 0.6]], "no probability"),
        ([[0.5, 0.5], [1.01]], "no probability"),
        ([[0.5, 0.5], [-0.01]], "no probability"),
        ([0.2, 0.8], "no rows of probabilities"),
        ([["a"], ["b"]], "no rows of probabilities"),
    ],
)
async def test_rows_that_are_no_rewards(rows: list[Any], said: str) -> None:
    error = await failure(Fault(rows=rows))
    assert isinstance(error, NoReward)
    assert not error.transient, "asked again, it would be the same"
    assert said in error.what
    assert "prompt.step_tag" in error.advice


def whole(**changes: Any) -> str:
    return json.dumps({"data": [{"data": [[0.5, 0.5]] * 2}]} | changes)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", EngineFailed),
        ("<html>not here", EngineFailed),
        (whole()[:-3], EngineFailed),
        (whole().replace("0.5", "NaN"), EngineFailed),
        ('{"data": []}', NoReward),
        (whole(data=[{"data": [[0.5, 0.5]] * 2}] * 2), NoReward),
        ('{"object": "list"}', NoReward),
        ('{"data": [{"data": "base64"}]}', NoReward),
        ('{"data": [{"index": 0}]}', NoReward),
        ("[]", NoReward),
    ],
)
async def test_bodies_that_cannot_be_used(body: str, kind: type[EngineError]) -> None:
    assert type(await failure(Fault(body=body))) is kind


async def test_a_body_without_usage_or_name() -> None:
    answer, _ = await rated(["a", "b"], Fault(body=whole()))
    assert answer == Rated(0.5, None, None)


TOO_LONG = "This model's maximum context length is 4096 tokens. However, your prompt has 5000"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(503), EngineFailed),
        (Fault(429), EngineBusy),
        (Fault(400), EngineRefused),
        (Fault(404), EngineRefused),
        (Fault(400, message=TOO_LONG), ContextTooLong),
        (Fault(then="stall"), EngineUnreachable),
        (Fault(then="break"), EngineUnreachable),
    ],
)
async def test_statuses_and_broken_connections(fault: Fault, kind: type[EngineError]) -> None:
    error = await failure(fault)
    assert type(error) is kind
    assert "the scorer at http" in error.where


async def test_the_key_the_name_and_the_url() -> None:
    async with rating(by_words, key="secret") as double:
        keyless = PoolingScorer(f"{double.url}/v1/")
        with pytest.raises(EngineRefused, match="key was not accepted"):
            await keyless.rate(ASKED, ["a"])
        named = PoolingScorer(f"{double.url}/v1", MODEL, api_key="secret")
        assert (await named.rate(ASKED, ["a"])).reward == 0.875
        assert double.bodies[-1]["model"] == MODEL
        other = PoolingScorer(double.url, "other", api_key="secret")
        with pytest.raises(EngineRefused, match="does not exist"):
            await other.rate(ASKED, ["a"])
        for scorer in (keyless, named, other):
            assert "secret" not in repr(scorer)
            await scorer.close()
