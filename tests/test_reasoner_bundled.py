"""The loop over the real pair. Whatever the models write, the books balance and a seed decides."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.doubles.vllm_pooling import rating
from tests.reasoning.risks import RISK
from tests.runs import GREEDY, told
from trigreason.budget import Budget
from trigreason.bundled import Problem, load_pair, problems, profile
from trigreason.engines.base import Sampling
from trigreason.engines.pooling import PoolingScorer
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Direction, StopReason, Thresholds, Trace, methods

SHORT = Budget(thinking_tokens=160, answer_tokens=30)
ALL_FIRE = Thresholds(n=1, rho=0.6, direction=Direction.UNDER, k=1, m=2, risk_model=RISK)
ONE_OF_EACH: list[Problem] = list({each.family: each for each in problems()}.values())
SOME = [
    pytest.param(each, marks=pytest.mark.slow) if index > 1 else each
    for index, each in enumerate(ONE_OF_EACH)
]


def family_of(problem: object) -> str:
    return problem.family if isinstance(problem, Problem) else str(problem)


@pytest.mark.parametrize("method", sorted(methods()))
@pytest.mark.parametrize(
    "thresholds",
    [
        pytest.param(ALL_FIRE, id="all fire"),
        pytest.param(replace(profile(), risk_model=RISK), id="own profile", marks=pytest.mark.slow),
        pytest.param(Thresholds(n=2, risk_model=RISK), id="the paper's", marks=pytest.mark.slow),
    ],
)
async def test_any_method(bundled_pair: Pair, method: str, thresholds: Thresholds) -> None:
    async with rating(lambda step: 0.9 if "State" in step else 0.1) as server:
        pair = replace(bundled_pair, scorer=PoolingScorer(server.url))
        run = await told(pair, problems()[0].question, method, thresholds=thresholds, budget=SHORT)
        await pair.close()
    assert run.trace.thinking_tokens <= SHORT.thinking_tokens
    assert run.trace.answer_tokens <= SHORT.answer_tokens
    assert run.trace.stop is not None
    assert run.trace.stop is StopReason.TRUNCATED or run.trace.answer_author is not None


@pytest.mark.parametrize("problem", SOME, ids=family_of)
async def test_the_same_seed_twice(bundled_pair: Pair, problem: Problem) -> None:
    sampling = Sampling(temperature=0.6, seed=11)
    first, second = [
        (await told(bundled_pair, problem.question, sampling=sampling, budget=SHORT)).trace
        for _ in range(2)
    ]
    assert first.fingerprint() == second.fingerprint()


async def test_the_same_seed_on_a_pair_loaded_anew(bundled_pair: Pair) -> None:
    other = await load_pair()
    question = problems()[0].question
    runs = [await told(pair, question, budget=SHORT) for pair in (bundled_pair, other)]
    await other.close()
    assert runs[0].trace.fingerprint() == runs[1].trace.fingerprint()


@pytest.mark.parametrize("problem", SOME, ids=family_of)
async def test_a_request_per_step_decides_the_same(bundled_pair: Pair, problem: Problem) -> None:
    per_stretch, per_step = [
        (
            await told(
                bundled_pair,
                problem.question,
                thresholds=Thresholds(n=3),
                sampling=GREEDY,
                budget=SHORT,
                request_per_step=one_by_one,
            )
        ).trace
        for one_by_one in (False, True)
    ]
    assert decisions(per_stretch) == decisions(per_step)
    assert per_stretch.answer == per_step.answer
    assert len(per_stretch.stretches) < len(per_step.stretches)
    assert len(per_step.stretches) >= len(per_step.steps)


def decisions(trace: Trace) -> list[tuple[object, ...]]:
    return [(step.author, step.text, step.trigger, step.standing) for step in trace.steps]


async def test_a_handover_stops_generation(bundled_pair: Pair) -> None:
    run = await told(bundled_pair, problems()[0].question, thresholds=ALL_FIRE, budget=SHORT)
    for author in Author:
        use = run.trace.use(author)
        assert use.unused_tokens <= 20 * use.requests


@pytest.mark.slow
async def test_two_runs_at_once_share_two_slots() -> None:
    pair = await load_pair(slots=2)
    asked = [each.question for each in ONE_OF_EACH[:2]]
    alone = [await told(pair, each, sampling=GREEDY, budget=SHORT) for each in asked]
    together = await asyncio.gather(
        *(told(pair, each, sampling=GREEDY, budget=SHORT) for each in asked)
    )
    await pair.close()
    assert [run.trace.messages for run in together] == [run.trace.messages for run in alone]


@pytest.mark.parametrize("method", ["trigreason", "specreason", "srm"])
async def test_a_question_that_fills_the_context(bundled_pair: Pair, method: str) -> None:
    """The context ends in the middle of the thinking; the run ends, and says so."""
    question = problems()[0].question
    long = question + " Nothing else happens." * 64
    run = await told(bundled_pair, long, method, thresholds=Thresholds(n=1, rho=1))
    assert run.trace.stop is not None
