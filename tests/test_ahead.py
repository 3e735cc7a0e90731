"""Hiding the LRM's latency: what is asked ahead of need, what becomes of it, and its account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import soon
from tests.runs import GREEDY, Told, told
from tests.scripted_server import (
    SURE,
    Body,
    Double,
    Reply,
    Said,
    Script,
    chatter,
    say,
    scripted_pair,
    words,
)
from tests.test_reasoner_failures import nothing_left
from trigreason.budget import Budget
from trigreason.bundled import problems
from trigreason.engines.base import EngineError
from trigreason.engines.breaker import Breaker
from trigreason.failure import Away, FailurePolicy
from trigreason.hiding import Hiding
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Purpose, Stretch, Thresholds

pytestmark = pytest.mark.slow

END = "</think>\n\nIt is."
OFFLOADING = Thresholds(n=0, rho=0.5, m=0)
HEDGING = Hiding(hedge=True, hedge_tokens=2)
NEVER = Reply([], status=500)


def sure(text: str) -> list[Said]:
    return words(text, SURE)


async def run_with(
    srm: Script, lrm: Script, hiding: Hiding, thresholds: Thresholds = OFFLOADING, **how: Any
) -> tuple[Told, Double]:
    async with scripted_pair(srm, lrm, hiding=hiding) as double, nothing_left(double):
        return await told(double.pair, thresholds=thresholds, **how), double


def sent(run: Told, purpose: Purpose) -> list[Stretch]:
    return [each for each in run.trace.stretches if each.purpose is purpose]


def drafting() -> list[Reply]:
    """An SRM that is sure of a step from its first word, and takes its time over it."""
    return [Reply(sure("So very sure of it.\n\n"), pause=0.02), say("c" + END)]


async def test_a_hedge_that_is_needed_is_the_rewrite() -> None:
    plain, _ = await run_with(drafting(), [chatter("Better.\n\nMore")], Hiding())
    run, double = await run_with(drafting(), [chatter("Better.\n\nMore")], HEDGING)
    assert run.authors == "(S) L S"
    assert len(double.lrm.bodies) == 1, "the rewrite had been begun"
    assert sent(run, Purpose.HEDGE) == []
    assert run.trace.fingerprint() == plain.trace.fingerprint()


async def test_a_hedge_asks_for_what_the_rewrite_asks_for() -> None:
    asked: list[Body] = []
    for hiding in (Hiding(), HEDGING):
        _, double = await run_with(drafting(), [chatter("Better.\n\nMore")], hiding)
        asked += double.lrm.bodies
    assert asked[0] == asked[1]


async def test_a_hedge_begins_while_the_srm_writes() -> None:
    writing: list[int] = []

    def better(body: Body) -> Reply:
        writing.append(double.srm.open_streams)
        return chatter("Better.\n\nMore")

    async with scripted_pair(drafting(), better, hiding=HEDGING) as double:
        run = await told(double.pair, thresholds=OFFLOADING)
    assert writing == [1]
    assert [each.purpose for each in run.trace.stretches] == [Purpose.WRITE] * 3


async def test_a_hedge_reads_no_further_than_its_step() -> None:
    srm = [Reply(sure("So very very very sure of all of it.\n\n"), pause=0.05), say("c" + END)]
    run, _ = await run_with(srm, [chatter("Better.\n\nMore", pause=0.001)], HEDGING)
    hedged = run.trace.stretches[1]
    assert (hedged.author, hedged.completion_tokens, hedged.unused_tokens) == ("lrm", 2, 0)


async def test_cancelling_while_a_hedge_is_slow_to_answer() -> None:
    lrm = [Reply(words("Better"), pause=5)]
    async with (
        scripted_pair(drafting(), lrm, hiding=HEDGING) as double,
        nothing_left(double),
    ):
        run = completed(reason(double.pair, "Why?", thresholds=OFFLOADING))
        running = asyncio.create_task(run)
        assert await soon(lambda: double.lrm.open_streams == 1)
        await asyncio.sleep(0.2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_an_engine_that_rests_is_asked_nothing_early() -> None:
    async with scripted_pair(drafting(), [chatter("Better.\n\n")], hiding=HEDGING) as double:
        now = [0.0]
        breaker = Breaker(failures=1, rest_seconds=9, clock=lambda: now[0])
        double.pair.lrm.breaker = breaker
        leave = breaker.enter()
        assert leave is not None
        breaker.failed(leave, "it burns")
        now[0] = 10.0
        run = await told(double.pair, thresholds=OFFLOADING)
    assert run.authors == "(S) L S"
    assert run.trace.degraded is None
    assert len(double.lrm.bodies) == 1


async def test_a_hedge_that_is_not_needed_is_dropped() -> None:
    step = [*sure("So very"), *words(" unsure of all this here.\n\n"), *words("c" + END)]
    run, double = await run_with([Reply(step, pause=0.02)], [chatter("Better")], HEDGING)
    assert run.authors == "S S"
    [hedge] = sent(run, Purpose.HEDGE)
    assert hedge.unused_tokens == hedge.completion_tokens
    assert run.trace.handovers == []
    assert await soon(lambda: double.lrm.disconnects == 1)


@pytest.mark.parametrize(
    "lrm", [[NEVER, say("Better.\n\n")], [say("Bet", then="break"), say("ter.\n\n")]]
)
async def test_a_hedge_that_fails_is_tried_again(lrm: list[Reply]) -> None:
    run, double = await run_with(drafting(), lrm, HEDGING)
    assert run.trace.standing[0].text == "Better.\n\n"
    assert len(double.lrm.bodies) == 2


async def test_a_hedge_that_was_refused_is_no_attempt() -> None:
    srm, lrm = drafting(), [NEVER, say("Better.\n\n")]
    once = FailurePolicy(retries=0)
    async with scripted_pair(srm, lrm, hiding=HEDGING, failure=once) as double:
        run = await told(double.pair, thresholds=OFFLOADING)
    assert run.authors == "(S) L S"
    assert run.trace.degraded is None


async def test_a_hedge_that_fails_and_is_not_needed_is_no_failure() -> None:
    step = [*sure("So very"), *words(" unsure of all this here.\n\n"), *words("c" + END)]
    run, _ = await run_with([Reply(step, pause=0.02)], [NEVER], HEDGING)
    assert run.authors == "S S"
    assert run.trace.degraded is None


async def test_nothing_is_hedged_that_no_trigger_can_ask_for() -> None:
    never = Thresholds(n=0, rho=1, m=1)
    run, _ = await run_with([Reply(sure("So very sure.\n\n" + END))], [], HEDGING, never)
    assert [each.author for each in run.trace.stretches] == ["srm"]


async def test_a_hedge_is_no_step_behind_one_that_was_cut_off() -> None:
    """It rewrites the step; where the SRM stays away, the LRM goes on behind what there is."""
    srm = [Reply(sure("So very sure"), "error", pause=0.02)]
    lrm = [chatter("Better"), say(" it is" + END)]
    once = FailurePolicy(retries=0)
    async with scripted_pair(srm, lrm, hiding=HEDGING, failure=once) as double:
        run = await told(double.pair, thresholds=OFFLOADING)
    assert run.trace.thinking == "So very sure it is"


@pytest.mark.parametrize(("tokens", "begun"), [(3, 1), (4, 0)])
async def test_a_hedge_begins_with_so_many_tokens(tokens: int, begun: int) -> None:
    srm, lrm = [Reply(sure("So very sure"), "stall")], [chatter("Better")]
    hiding = Hiding(hedge=True, hedge_tokens=tokens)
    run, double = await run_with(srm, lrm, hiding, budget=Budget(seconds=0.3))
    assert len(double.lrm.bodies) == len(sent(run, Purpose.HEDGE)) == begun


async def test_nothing_is_hedged_for_a_model_alone() -> None:
    srm = [Reply(sure("So very sure.\n\n" + END), pause=0.01)]
    _, double = await run_with(srm, [], HEDGING, method="srm")
    assert double.lrm.bodies == []


async def test_a_run_that_is_left_leaves_no_hedge() -> None:
    srm, lrm = [Reply(sure("So very sure"), "stall")], [say("Better", then="stall")]
    async with scripted_pair(srm, lrm, hiding=HEDGING) as double, nothing_left(double):
        run = completed(reason(double.pair, "Why?", thresholds=OFFLOADING))
        running = asyncio.create_task(run)
        assert await soon(lambda: double.lrm.open_streams == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_run_that_fails_leaves_no_hedge() -> None:
    srm = [Reply(sure("So very sure"), "error", pause=0.02)]
    policy = FailurePolicy(retries=0, srm_away=Away.FAIL)
    async with (
        scripted_pair(srm, [chatter("Better")], hiding=HEDGING, failure=policy) as double,
        nothing_left(double),
    ):
        with pytest.raises(EngineError):
            await told(double.pair, thresholds=OFFLOADING)


# Warm


def reads(double: Double) -> list[str]:
    """The thinking that warming requests had the LRM read."""
    return [
        body["prompt"].partition("<think>\n")[2]
        for body in double.lrm.bodies
        if body["max_tokens"] == 1
    ]


@pytest.mark.parametrize(
    ("hiding", "read"),
    [
        (Hiding(warm_tokens=1), ["a\n\n", "a\n\nb\n\n", "a\n\nb\n\nc\n\n"]),
        (Hiding(warm_tokens=4), ["a\n\nb\n\n"]),
        (Hiding(warm_seconds=0.001), ["a\n\n", "a\n\nb\n\n", "a\n\nb\n\nc\n\n"]),
        (Hiding(warm_seconds=60), []),
        (Hiding(), []),
    ],
)
async def test_the_lrm_reads_along(hiding: Hiding, read: list[str]) -> None:
    srm = [Reply(words("a\n\nb\n\nc\n\nd" + END), pause=0.03)]
    run, double = await run_with(srm, [say("x")] * 3, hiding, Thresholds(n=0, rho=1))
    assert reads(double) == read
    warmed = sent(run, Purpose.WARM)
    assert [each.unused_tokens for each in warmed] == [each.completion_tokens for each in warmed]
    assert len(warmed) == len(read)


@pytest.mark.parametrize(
    ("hiding", "read"),
    [
        (Hiding(warm_tokens=2), ["a\n\nb\n\n", "a\n\nb\n\nc\n\n"]),
        (Hiding(warm_tokens=4), ["a\n\nb\n\nc\n\n"]),
        (Hiding(warm_tokens=5), []),
    ],
)
async def test_what_the_lrm_wrote_it_has_read(hiding: Hiding, read: list[str]) -> None:
    srm = [Reply(words("b\n\nc\n\nd" + END), pause=0.02)]
    lrm = [chatter("a\n\n"), say("x"), say("x")]
    _, double = await run_with(srm, lrm, hiding, Thresholds(n=1, rho=1))
    assert reads(double) == read


async def test_warming_that_fails_is_no_failure() -> None:
    srm = [Reply(words("a\n\nb" + END), pause=0.02)]
    run, _ = await run_with(srm, [NEVER], Hiding(warm_tokens=1), Thresholds(n=0, rho=1))
    assert run.trace.degraded is None
    assert [each.failed is None for each in sent(run, Purpose.WARM)] == [False]


async def test_the_real_pair_writes_the_same_with_and_without(bundled_pair: Pair) -> None:
    question = problems()[3].question
    plain = await told(bundled_pair, question, sampling=GREEDY)
    hiding = Hiding(warm_tokens=8, hedge=True, hedge_tokens=3)
    run = await told(replace(bundled_pair, hiding=hiding), question, sampling=GREEDY)
    assert run.trace.fingerprint() == plain.trace.fingerprint()
