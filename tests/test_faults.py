"""Runs behind a proxy that fails: they end complete or with a typed error, and tell no lie."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from email.utils import formatdate
from itertools import chain, repeat
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.continuing_server import Shape
from tests.fault_proxy import HTML, Break, Fault, How, Instead, Plan, faulty
from tests.faulty_pair import (
    DOWN,
    PATIENT,
    SOON,
    STORY,
    Ending,
    behind_proxies,
    check_against,
    no_task_left,
    only,
    run,
    story,
)
from tests.runs import GREEDY
from tests.test_fault_proxy import TEXT, at_once, offsets, recorded, tokens_in
from trigreason.budget import Budget
from trigreason.bundled import problems
from trigreason.engines.base import EngineFailed
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import Timeouts
from trigreason.failure import Away, FailurePolicy
from trigreason.pairs import Pair
from trigreason.reasoning import Author, StopReason, Trigger, join_text

IMPATIENT = Timeouts(read=0.5)
WIDTH: dict[How, int] = {how: 8 if how == "stall" else 2 for how in get_args(How)}
"""How many runs at once: more where they wait, but not so many that the healthy ones time out."""
HOWS = get_args(How)
SHAPES = get_args(Shape)


# Without a fault


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_story_brings_every_trigger(shape: Shape) -> None:
    async with story(shape=shape) as servers, behind_proxies(servers) as doubles:
        trace = (await run(doubles.pair)).trace
        judged = (await run(doubles.pair, "specreason")).trace
    assert trace.handovers_by_trigger == {
        Trigger.STRATEGIC_PRIMING: 1,
        Trigger.COGNITIVE_OFFLOAD: 1,
        Trigger.INTERVENTION_REQUEST: 1,
    }
    assert judged.handovers_by_trigger == {Trigger.JUDGE_REJECTION: 1}
    for each in (trace, judged):
        assert f"{each.thinking}</think>\n\n{each.answer}" == STORY
        assert each.stop is StopReason.COMPLETE


# One fault at any byte, and then health


FEW = pytest.param(257, id="few")
ALL = pytest.param(1, id="all", marks=pytest.mark.slow)
HARDLY_ANY = pytest.param(9001, id="few")
SOME = pytest.param(211, id="some", marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize("every", [FEW, ALL])
@pytest.mark.parametrize("how", HOWS)
async def test_a_stretch_that_breaks_goes_on_where_it_broke(how: How, every: int) -> None:
    """At every byte of a stream: nothing lost, nothing doubled, nothing asked for twice."""
    async with no_task_left(), story(TEXT) as servers:
        whole = await recorded(servers[0].url)
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, "srm")).trace

        async def meet(after: int) -> None:
            timeouts = IMPATIENT if how == "stall" else PATIENT
            async with behind_proxies(servers, [Break(how, after)], timeouts=timeouts) as doubles:
                ending = await run(doubles.pair, "srm")
            assert ending.trace.fingerprint() == right.fingerprint(), f"at byte {after}"
            assert ending.trace.stop is StopReason.COMPLETE
            if how in ("reset", "close", "truncate"):
                delivered = join_text([token.text for token in tokens_in(whole[:after])[0]])
                prompts = [json.loads(body)["prompt"] for body in doubles.srm.asked]
                assert prompts[1:] in ([prompts[0] + delivered], [])
                assert prompts[1:] or delivered == TEXT

        await at_once((meet(after) for after in offsets(len(whole), every)), WIDTH[how])


@pytest.mark.parametrize("every", [HARDLY_ANY, SOME])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    "method", ["trigreason", pytest.param("specreason", marks=pytest.mark.slow)]
)
async def test_any_request_of_a_pair_may_break(method: str, how: How, every: int) -> None:
    async with no_task_left(), story() as servers:
        length = len(await recorded(servers[0].url))
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, method)).trace
            asked = {Author.SRM: len(doubles.srm.asked), Author.LRM: len(doubles.lrm.asked)}
        happened: list[Fault] = []

        async def meet(author: Author, request: int, after: int) -> None:
            plan = [*repeat(None, request), Break(how, after)]
            timeouts = IMPATIENT if how == "stall" else PATIENT
            async with behind_proxies(servers, *only(author, plan), timeouts=timeouts) as doubles:
                ending = await run(doubles.pair, method)
            happened.extend(doubles.happened)
            check_against(right, ending)
            assert ending.error is None
            assert ending.trace.degraded is None

        places = [(author, nth) for author, count in asked.items() for nth in range(count)]
        await at_once(
            (
                meet(author, nth, after)
                for index, (author, nth) in enumerate(places)
                for after in range(index * every // len(places), length, every)
            ),
            WIDTH[how],
        )
    assert happened


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", ["trigreason", "srm"])
async def test_a_cut_between_the_tokens_of_a_character(method: str, shape: Shape) -> None:
    async with no_task_left(), story(shape=shape) as servers:
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, method)).trace
        for after in range(0, 2400, 131):
            plan = [Break("reset", after)]
            async with behind_proxies(servers, plan, plan) as doubles:
                ending = await run(doubles.pair, method)
            check_against(right, ending)
            assert ending.error is None


# Any faults at all


BREAKS = st.builds(Break, st.sampled_from(HOWS), st.integers(0, 3000) | st.integers(0, 9000))
ON_THE_WIRE = st.builds(
    Break, st.sampled_from(["reset", "close", "slow"]), st.integers(0, 400), st.just(True)
)
AFTER = st.sampled_from(["0", "0.01", "3600", "soon", formatdate(0, usegmt=True)])
ANSWERS = st.builds(
    Instead,
    st.sampled_from([200, 400, 404, 429, 500, 502, 503]),
    st.sampled_from([b'{"error":{"message":"as told"}}', HTML, b""]),
    st.just({}) | st.builds(lambda value: {"Retry-After": value}, AFTER),
)
PLANS = st.lists(st.none() | BREAKS | ON_THE_WIRE | ANSWERS, max_size=8)
POLICIES = st.builds(
    FailurePolicy,
    retries=st.integers(0, 3),
    backoff_seconds=st.just(0.001),
    lrm_away=st.sampled_from(Away),
    srm_away=st.sampled_from(Away),
)
METHOD_NAMES = st.sampled_from(["trigreason", "specreason", "srm", "lrm"])
sparingly = settings(max_examples=25, deadline=None)
often = settings(max_examples=400, deadline=None)


async def meet_any(method: str, shape: Shape, srm: Plan, lrm: Plan, policy: FailurePolicy) -> None:
    hasty = Timeouts(read=0.1)
    async with no_task_left(), story(shape=shape) as servers:
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, method)).trace
        async with behind_proxies(servers, srm, lrm, policy=policy, timeouts=hasty) as doubles:
            check_against(right, await run(doubles.pair, method))


@pytest.mark.slow
@given(METHOD_NAMES, st.sampled_from(SHAPES), PLANS, PLANS, POLICIES)
@sparingly
def test_any_faults(
    method: str,
    shape: Shape,
    srm: list[Fault | None],
    lrm: list[Fault | None],
    policy: FailurePolicy,
) -> None:
    asyncio.run(meet_any(method, shape, srm, lrm, policy))


@pytest.mark.slow
@given(METHOD_NAMES, st.sampled_from(SHAPES), PLANS, PLANS, POLICIES)
@often
def test_very_many_faults(
    method: str,
    shape: Shape,
    srm: list[Fault | None],
    lrm: list[Fault | None],
    policy: FailurePolicy,
) -> None:
    asyncio.run(meet_any(method, shape, srm, lrm, policy))


@pytest.mark.parametrize(
    "method", ["trigreason", pytest.param("specreason", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("away", Author)
@pytest.mark.parametrize("outage", [DOWN, Instead(502, HTML), Instead(200, HTML), Break("reset")])
async def test_one_stays_away_and_the_other_goes_on(
    outage: Fault, away: Author, method: str
) -> None:
    plans = only(away, repeat(outage))
    async with no_task_left(), story() as servers:
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, method)).trace
        async with behind_proxies(servers, *plans) as doubles:
            ending = await run(doubles.pair, method)
    check_against(right, ending)
    assert ending.error is None
    assert ending.trace.degraded is not None
    assert ending.trace.degraded.author is away
    assert {step.author for step in ending.trace.steps} <= set(Author) - {away}


@pytest.mark.parametrize("away", Author)
async def test_one_stays_away_in_the_middle(away: Author) -> None:
    """Its half-written step stands, and the other goes on in the middle of it."""
    plans = only(away, chain([None, Break("reset", 1700)], repeat(DOWN)))
    async with no_task_left(), story() as servers:
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, "specreason")).trace
        async with behind_proxies(servers, *plans) as doubles:
            ending = await run(doubles.pair, "specreason")
    check_against(right, ending)
    assert ending.error is None
    assert ending.trace.degraded is not None


async def test_both_away() -> None:
    """The error names both and carries what was written."""
    async with no_task_left(), story() as servers:
        srm: Plan = chain([Break("reset", 1500)], repeat(DOWN))
        lrm: Plan = chain([None], repeat(DOWN))
        async with behind_proxies(servers, srm, lrm) as doubles:
            _, trace, error = await run(doubles.pair)
    assert isinstance(error, EngineFailed)
    assert "small" in str(error) or "SRM" in str(error)
    assert "large" in str(error) or "LRM" in str(error)
    assert STORY.startswith(trace.thinking)
    assert trace.standing


# Real models


CUTS = [
    pytest.param(after, marks=pytest.mark.slow) if index > 1 else after
    for index, after in enumerate([1100, 4321, 0, 333, 2222, 3456, 6001, 7654])
]


@pytest.mark.slow
@pytest.mark.parametrize("after", CUTS)
@pytest.mark.parametrize("how", ["reset", "truncate"])
async def test_real_models_go_on_where_they_were_cut(
    bundled_pair: Pair, how: How, after: int
) -> None:
    """Greedy llama.cpp writes what it would have written anyway."""
    pair = replace(bundled_pair, failure=SOON)
    assert isinstance(pair.srm, CompletionsEngine)
    async with faulty(pair.srm.url) as proxy:
        pair.srm.url = proxy.url
        right = await run_real(pair)
        proxy.plan = iter([Break(how, after)])
        again = await run_real(pair)
    assert len(proxy.happened) == 1
    assert again.trace.fingerprint() == right.trace.fingerprint()


async def run_real(pair: Pair) -> Ending:
    short = Budget(thinking_tokens=160, answer_tokens=30)
    return await run(pair, "srm", question=problems()[0].question, sampling=GREEDY, budget=short)
