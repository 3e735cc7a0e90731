"""What a run has cost, told or estimated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trigreason.reasoning import (
    Author,
    Message,
    Prices,
    Prompt,
    Purpose,
    RewardRequest,
    ScorerLog,
    Spent,
    StepEnd,
    StepRecord,
    Stretch,
    Thresholds,
    Trace,
    prompt_of,
    prompt_tokens,
    spent,
    spent_on_rewards,
)
from trigreason.reasoning.spending import JUDGE_TOKENS, MESSAGE_TOKENS

SRM, LRM = Author.SRM, Author.LRM
INPUT, OUTPUT = 1e6, 1000e6
"""USD for a million tokens, so that a prompt's tokens stand before 1,000 times those written."""

QUESTION = "x" * 60
ALONE = 20 + MESSAGE_TOKENS
"""Tokens of the conversation by its characters."""


def step(author: Author, stretch: int, tokens: int, **more: Any) -> StepRecord:
    return StepRecord(author, "a\n\n", tokens, StepEnd.BLANK_LINE, stretch, **more)


def asked(author: Author, written: int, **more: Any) -> Stretch:
    return Stretch(author, Purpose.WRITE, completion_tokens=written, **more)


def trace_of(*stretches: Stretch, **more: Any) -> Trace:
    prices = Prices(INPUT, OUTPUT)
    usual: dict[str, Any] = {"prices": {SRM: prices, LRM: prices}}
    messages = (Message("user", QUESTION),)
    models = {SRM: "s", LRM: "l"}
    whole = usual | {"stretches": list(stretches)} | more
    return Trace("trigreason", Thresholds(), messages, models, **whole)


TOLD = {"prompt_tokens": 50, "generated_tokens": 5}

CASES: dict[str, tuple[list[Stretch], dict[str, Any], Spent]] = {
    "nothing asked": ([], {}, Spent(0.0, False)),
    "all told": ([asked(LRM, 5, **TOLD)], {}, Spent(5050, False)),
    "more generated than arrived": (
        [asked(LRM, 3, prompt_tokens=50, generated_tokens=9)],
        {},
        Spent(9050, False),
    ),
    "nothing told": ([asked(LRM, 5)], {}, Spent(5000 + ALONE, True)),
    "left before the first token": ([asked(LRM, 0)], {}, Spent(ALONE, True)),
    "failed before the first token": ([asked(LRM, 0, failed="away")], {}, Spent(0.0, False)),
    "failed behind it": ([asked(LRM, 5, failed="broke")], {}, Spent(5000 + ALONE, True)),
    "only the prompt told": ([asked(LRM, 5, prompt_tokens=50)], {}, Spent(5050, True)),
    "the conversation by what was told later": (
        [asked(SRM, 5), asked(LRM, 2, prompt_tokens=45, generated_tokens=2)],
        {},
        Spent((5000 + 40) + (2000 + 45), True),
    ),
    "rather by the own server": (
        [
            asked(SRM, 0, prompt_tokens=30, generated_tokens=0),
            asked(LRM, 0, prompt_tokens=40, generated_tokens=0),
            asked(SRM, 0),
        ],
        {},
        Spent(30 + 40 + 30, True),
    ),
    "what was written stands in the next prompt": (
        [asked(SRM, 7), asked(LRM, 1)],
        {},
        Spent((7000 + ALONE) + (1000 + ALONE + 7), True),
    ),
    "not what came too late, nor a draft": (
        [asked(SRM, 20, unused_tokens=4), asked(LRM, 1)],
        {"steps": [step(SRM, 0, 10), step(SRM, 0, 6, standing=False)]},
        Spent((20_000 + ALONE) + (1000 + ALONE + 10), True),
    ),
    "a judge is asked something": (
        [replace(asked(LRM, 1), purpose=Purpose.JUDGE)],
        {},
        Spent(1000 + ALONE + JUDGE_TOKENS, True),
    ),
    "and writes nothing of the text": (
        [replace(asked(LRM, 1), purpose=Purpose.JUDGE), asked(SRM, 1)],
        {},
        Spent((1000 + ALONE + JUDGE_TOKENS) + (1000 + ALONE), True),
    ),
    "one model has a price": (
        [asked(LRM, 5, **TOLD), asked(SRM, 5, **TOLD)],
        {"prices": {LRM: Prices(INPUT, OUTPUT)}},
        Spent(5050, False),
    ),
    "the one that was asked has none": (
        [asked(SRM, 5, **TOLD)],
        {"prices": {LRM: Prices(INPUT, OUTPUT)}},
        Spent(None, False),
    ),
    "none has a price": ([asked(SRM, 5, **TOLD)], {"prices": {}}, Spent(None, False)),
    "cached as far as it was before": (
        [
            asked(LRM, 0, prompt_tokens=40, cached_tokens=30, generated_tokens=0),
            asked(LRM, 0),
        ],
        {"prices": {LRM: Prices(INPUT, OUTPUT, 0.0)}},
        Spent(10 + 10, True),
    ),
    "many words in one piece": (
        [asked(LRM, 1, prompt_tokens=50)],
        {"steps": [replace(step(LRM, 0, 1), text="word " * 40)]},
        Spent(40_050, True),
    ),
    "an answer in one piece": (
        [asked(SRM, 1, prompt_tokens=50), asked(LRM, 1, prompt_tokens=50)],
        {"answer": "word " * 40, "answer_by": {LRM: 1}},
        Spent(1050 + 40_050, True),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_spent(name: str) -> None:
    stretches, more, expected = CASES[name]
    found = spent(trace_of(*stretches, **more))
    assert found.usd == pytest.approx(expected.usd)
    assert found.is_estimate is expected.is_estimate


PROMPTS: dict[str, tuple[list[Stretch], Prompt]] = {
    "nothing asked": ([], Prompt(0, False)),
    "told": ([asked(LRM, 5, **TOLD)], Prompt(50, False)),
    "told to the second, nothing written before": (
        [asked(SRM, 0), asked(LRM, 5, **TOLD)],
        Prompt(50, False),
    ),
    "told with what was written behind it": (
        [asked(SRM, 40), asked(LRM, 5, **TOLD)],
        Prompt(10, True),
    ),
    "never told": ([asked(SRM, 5), asked(LRM, 5)], Prompt(ALONE, True)),
    "left before the first token": ([asked(SRM, 0)], Prompt(ALONE, True)),
    "failed before it": ([asked(SRM, 0, failed="away")], Prompt(0, False)),
    "a judge's is another": (
        [replace(asked(LRM, 1, prompt_tokens=90), purpose=Purpose.JUDGE), asked(SRM, 1)],
        Prompt(ALONE, True),
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_prompt(name: str) -> None:
    stretches, expected = PROMPTS[name]
    assert prompt_of(trace_of(*stretches)) == expected


READ = RewardRequest(0, prompt_tokens=30)
UNTOLD = RewardRequest(1)
FAILED = RewardRequest(1, failed="away")
DRAFT = step(SRM, 0, 1, standing=False)
RATED = ALONE + 1 + MESSAGE_TOKENS
"""Tokens of the conversation and a step of three bytes."""


@pytest.mark.parametrize(
    ("price", "requests", "steps", "expected"),
    [
        (1e6, [], [], Spent(0.0, False)),
        (None, [READ], [], Spent(None, False)),
        (1e6, [READ, READ], [], Spent(60, False)),
        (1e6, [READ, FAILED], [], Spent(30, False)),
        (1e6, [UNTOLD], [DRAFT, step(SRM, 0, 1)], Spent(RATED, True)),
        (1e6, [READ, UNTOLD], [step(SRM, 0, 1), step(SRM, 0, 1)], Spent(30 + RATED + 1, True)),
    ],
)
def test_spent_on_rewards(
    price: float | None, requests: list[RewardRequest], steps: list[StepRecord], expected: Spent
) -> None:
    log = ScorerLog("prm", price, requests)
    trace = trace_of(scorer=log, steps=steps)
    assert spent_on_rewards(trace) == expected
    assert log.usd == (None if expected.usd is None or expected.is_estimate else expected.usd)
    with_models = trace_of(asked(LRM, 5, **TOLD), scorer=log, steps=steps)
    assert spent(with_models) == Spent(5050 + (expected.usd or 0), expected.is_estimate)
    assert spent(with_models, [LRM]) == Spent(5050, False)
    unpriced = replace(with_models, prices={})
    assert spent(unpriced) == (expected if expected.usd else Spent(None, False))


def test_the_runs_cost_is_unknown_if_the_scorers_is() -> None:
    whole = trace_of(asked(LRM, 5, **TOLD), scorer=ScorerLog("prm", 1e6, [READ]))
    assert whole.usd == 5050 + 30
    assert replace(whole, scorer=ScorerLog("prm", None, [READ])).usd is None
    assert replace(whole, scorer=ScorerLog("prm", None)).usd == 5050, "it was never asked"


def test_spent_by_one_of_them() -> None:
    trace = trace_of(asked(SRM, 1, **TOLD), asked(LRM, 9))
    assert spent(trace, [SRM]) == Spent(5050, False)
    assert spent(trace, [LRM]).is_estimate
    assert spent(trace, [SRM]).usd < spent(trace).usd  # type: ignore[operator]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], Spent(0.0, False)),
        ([Spent(None, False)], Spent(None, False)),
        ([Spent(None, False), Spent(1.0, True), Spent(2.0, False)], Spent(3.0, True)),
    ],
)
def test_together(parts: list[Spent], whole: Spent) -> None:
    assert Spent.together(parts) == whole


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abc", 1), ("漢字", 2), ("\ud800x", 1)]
)
def test_tokens_of_a_prompt(text: str, tokens: int) -> None:
    assert prompt_tokens([Message("user", text)]) == tokens + MESSAGE_TOKENS
