"""Runs in which a scorer rates the SRM's steps (RSD), with a double of the scorer's server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import soon
from tests.doubles.vllm_pooling import MODEL, Fault, Rule, VllmPoolingDouble, rating
from tests.runs import GREEDY, Told, check_accounts, check_replay, told
from tests.scripted_server import Double, Reply, say, scripted_pair
from trigreason.budget import Budget
from trigreason.bundled import problems
from trigreason.bundled.families import FAMILIES
from trigreason.engines.base import EngineError, EngineRefused, NoReward
from trigreason.engines.breaker import Breaker, BreakerState
from trigreason.engines.pooling import PoolingScorer
from trigreason.events import AnswerText, DraftDropped, HandedOver, WentOnAlone
from trigreason.failure import Away, FailurePolicy
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import (
    Author,
    Degraded,
    Reward,
    Spent,
    StepEnd,
    StepRecord,
    StopReason,
    Thresholds,
    Trace,
    Trigger,
    replay,
    spent,
)

END = "</think>\n\nIt is 3."
QUICK = FailurePolicy(retries=1, backoff_seconds=0.01)
DOWN = Fault(503)


def by_words(step: str) -> float:
    """The reward of a step is the number in it."""
    return next((float(word) for word in step.split() if word[0].isdigit()), 0.9)


@asynccontextmanager
async def rated_pair(
    srm: list[Reply],
    lrm: list[Reply],
    faults: dict[int, Fault] | None = None,
    *,
    rule: Rule = by_words,
    of_scorer: dict[str, Any] | None = None,
    **of_the_pair: Any,
) -> AsyncIterator[tuple[Double, VllmPoolingDouble]]:
    async with rating(rule, faults) as server:
        scorer = PoolingScorer(server.url, **(of_scorer or {}))
        how = {"failure": QUICK} | of_the_pair
        async with scripted_pair(srm, lrm, scorer=scorer, **how) as double:
            yield double, server


async def rsd(
    srm: list[Reply],
    lrm: list[Reply],
    faults: dict[int, Fault] | None = None,
    *,
    thresholds: Thresholds | None = None,
    budget: Budget | None = None,
    **how: Any,
) -> tuple[Told, VllmPoolingDouble]:
    async with rated_pair(srm, lrm, faults, **how) as (double, server):
        run = await told(
            double.pair, method="rsd", thresholds=thresholds or Thresholds(), budget=budget
        )
        return run, server


async def test_the_lrm_rewrites_what_the_scorer_rates_low() -> None:
    srm = [say("so 0.8\n\nbut 0.2\n\nand"), say("then 0.7\n\n 0.9" + END)]
    run, server = await rsd(srm, [say("Better.\n\nMore.\n\n")])
    assert run.authors == "S (S) L S S"
    assert [step.reward for step in run.trace.steps] == [0.8, 0.2, None, 0.7, 0.9]
    assert all(step.score is None for step in run.trace.steps)
    [handover, back] = [each for each in run.events if isinstance(each, HandedOver)]
    assert (handover.writer, handover.trigger) == (Author.LRM, Trigger.LOW_REWARD)
    assert handover.because is run.trace.steps[1]
    assert back.writer is Author.SRM
    assert run.trace.handovers_by_trigger == {Trigger.LOW_REWARD: 1}
    assert run.trace.fired_after(1) is Trigger.LOW_REWARD
    assert server.thinkings == [
        "so 0.8<extra_0>",
        "so 0.8<extra_0>but 0.2<extra_0>",
        "so 0.8<extra_0>Better.<extra_0>then 0.7<extra_0>",
        "so 0.8<extra_0>Better.<extra_0>then 0.7<extra_0>0.9<extra_0>",
    ]
    assert run.trace.stop is StopReason.COMPLETE


@pytest.mark.parametrize(("delta", "authors"), [(0.7, "S"), (0.71, "(S) L"), (0, "S")])
async def test_a_reward_of_delta_is_enough(delta: float, authors: str) -> None:
    reward = 0.0 if delta == 0 else 0.7
    run, _ = await rsd(
        [say("it" + END)],
        [say("Better." + END)],
        thresholds=Thresholds(delta=delta),
        rule=lambda _: reward,
    )
    assert run.authors == authors


async def test_the_trace_has_what_the_scorer_did() -> None:
    run, _ = await rsd([say("a 0.8\n\nb" + END)], [], of_scorer={"price": 2.0})
    log = run.trace.scorer
    assert log is not None
    assert (log.model, log.price) == (MODEL, 2.0)
    assert [each.step for each in log.requests] == [0, 1]
    assert all(each.seconds > 0 and each.began_seconds >= 0 for each in log.requests)
    tokens = [each.prompt_tokens for each in log.requests]
    assert tokens == [12 + 1 + 3, 12 + 1 + 3 + 2]
    assert log.prompt_tokens == 34
    assert log.usd == pytest.approx(34 * 2e-6)
    assert spent(run.trace) == Spent(log.usd, False)
    assert spent(run.trace, [Author.SRM]).usd is None


async def test_without_usage_the_cost_is_an_estimate() -> None:
    run, _ = await rsd(
        [say("a 0.8" + END)], [], {0: Fault(has_usage=False)}, of_scorer={"price": 1.0}
    )
    log = run.trace.scorer
    assert log is not None
    assert log.prompt_tokens is None
    assert log.usd is None
    # "Why?" and "a 0.8" at 3 bytes a token, and 8 tokens around each
    assert spent(run.trace) == Spent((2 + 8 + 2 + 8) / 1e6, True)


async def test_blank_steps_are_not_rated() -> None:
    run, server = await rsd([say("\n\na 0.8\n\n" + END)], [])
    assert server.thinkings == ["a 0.8<extra_0>"]
    assert [step.reward for step in run.trace.steps if step.text.strip()] == [0.8]


async def test_a_pair_without_a_scorer_is_told_what_to_configure() -> None:
    async with scripted_pair([say("a" + END)], []) as double:
        with pytest.raises(NoReward, match=r"\[pairs.NAME.scorer\]") as caught:
            await told(double.pair, method="rsd")
        assert not double.srm.bodies
    assert "RSD needs a scorer" in caught.value.what
    assert caught.value.where == "pair"


async def test_other_methods_do_not_ask_the_scorer() -> None:
    async with rated_pair([say("a\n\nb" + END)], []) as (double, server):
        run = await told(double.pair, method="srm")
    assert not server.bodies
    assert run.trace.scorer is None


async def test_the_scorer_is_asked_again() -> None:
    run, _ = await rsd([say("a 0.8\n\nb 0.9" + END)], [], {0: DOWN, 2: Fault(429)})
    assert run.authors == "S S"
    log = run.trace.scorer
    assert log is not None
    assert [each.failed is None for each in log.requests] == [False, True, False, True]
    assert [each.step for each in log.requests] == [0, 0, 1, 1]
    assert log.prompt_tokens == 16 + 19, "what failed was not read"


UNFIT = Fault(rows=[])
TOO_LONG = Fault(400, message="maximum context length is 4096 tokens")


@pytest.mark.parametrize(
    "fault", [DOWN, UNFIT, TOO_LONG, Fault(401), Fault(body="torn"), Fault(body='{"data": [NaN]}')]
)
async def test_without_the_scorer_the_lrm_goes_on_alone(fault: Fault) -> None:
    """From before the step that could not be rated: no step of the SRM stands without a reward."""
    faults = dict.fromkeys(range(1, 9), fault)
    run, server = await rsd(
        [say("a 0.8\n\nb 0.9\n\nc")], [say("Mine.\n\nTwo.\n\nThree." + END)], faults
    )
    assert run.authors == "S (S) L L L"
    assert run.trace.degraded is not None
    assert (run.trace.degraded.author, run.trace.degraded.step) == (None, 1)
    assert run.trace.answer == "It is 3."
    assert run.trace.answer_author is Author.LRM
    assert run.trace.stop is StopReason.COMPLETE
    assert [each.trigger for each in run.events if isinstance(each, DraftDropped)] == [
        Trigger.METHOD
    ]
    [alone] = [each for each in run.events if isinstance(each, WentOnAlone)]
    assert (alone.author, alone.has_both) == (Author.LRM, True)
    [handover] = [each for each in run.events if isinstance(each, HandedOver)]
    assert (handover.writer, handover.steps) == (Author.LRM, None), "for the rest, not for a step"
    assert len(server.bodies) <= 1 + 1 + QUICK.retries, "once it is away it is left alone"


async def test_an_end_of_the_thinking_that_cannot_be_rated_is_written_by_the_lrm() -> None:
    run, _ = await rsd([say("a" + END)], [say("Mine." + END)], dict.fromkeys(range(9), DOWN))
    assert run.authors == "(S) L"
    assert set(run.trace.answer_by) == {Author.LRM}
    assert "".join(each.text for each in run.events if isinstance(each, AnswerText)) == "It is 3."


async def failed(*what: Any, **how: Any) -> tuple[EngineError, Trace]:
    async with rated_pair(*what, **how) as (double, _):
        with pytest.raises(EngineError) as caught:
            await completed(reason(double.pair, "Why?", "rsd"))
    trace = caught.value.details["trace"]
    check_accounts(trace)
    check_replay(trace)
    return caught.value, trace


@pytest.mark.parametrize("fault", [UNFIT, TOO_LONG, Fault(401), Fault(404)])
async def test_a_scorer_that_never_worked_is_not_set_up_right(fault: Fault) -> None:
    error, trace = await failed([say("a 0.8\n\nb")], [say("Mine." + END)], {0: fault})
    assert isinstance(error, EngineRefused)
    assert [(step.text, step.end) for step in trace.steps] == [("a 0.8\n\n", StepEnd.CUT_OFF)]
    assert trace.degraded is None


async def test_the_run_can_fail_instead() -> None:
    policy = FailurePolicy(retries=0, scorer_away=Away.FAIL)
    error, trace = await failed([say("a 0.8\n\nb 0.9\n\nc")], [], {1: DOWN}, failure=policy)
    assert "503" in str(error)
    assert [step.text for step in trace.steps] == ["a 0.8\n\n", "b 0.9\n\n"]
    assert [step.reward for step in trace.steps] == [0.8, None]


async def test_then_the_lrm_may_fail_as_well() -> None:
    error, trace = await failed(
        [say("a")], [Reply([], status=503)] * 2, dict.fromkeys(range(9), DOWN)
    )
    assert "the scorer was away before" in error.what
    assert trace.degraded == Degraded(None, 0, "the server failed with status 503 (as told)")


async def test_a_scorer_that_keeps_failing_rests() -> None:
    breaker = Breaker(failures=1)
    async with rated_pair(
        [say("a" + END)] * 2,
        [say("Mine." + END)] * 2,
        dict.fromkeys(range(9), DOWN),
        of_scorer={"breaker": breaker},
        failure=FailurePolicy(retries=0),
    ) as (double, server):
        await told(double.pair, method="rsd")
        assert breaker.state is BreakerState.OPEN
        run = await told(double.pair, method="rsd")
    assert len(server.bodies) == 1
    assert run.trace.degraded is not None
    assert "it failed too often" in run.trace.degraded.reason
    assert run.trace.scorer is not None
    assert not run.trace.scorer.requests


async def test_the_seconds_of_a_run_end_a_rating() -> None:
    run, _ = await rsd(
        [say("a 0.8\n\nb")], [], {0: Fault(then="stall")}, budget=Budget(seconds=0.3)
    )
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "seconds")
    assert run.trace.steps[0].end is StepEnd.CUT_OFF


async def test_closing_a_run_ends_its_rating() -> None:
    async with rated_pair([say("a 0.8\n\nb")], [], {0: Fault(then="stall")}) as (double, server):
        before = asyncio.all_tasks()
        running = asyncio.create_task(completed(reason(double.pair, "Why?", "rsd")))
        assert await soon(lambda: bool(server.bodies))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await soon(
            lambda: not [t for t in asyncio.all_tasks() - before if "start" not in repr(t)]
        )


PROBLEM = next(each for each in problems() if each.family == "boolean_expressions")
RIGHT = {step.strip() for step in FAMILIES[PROBLEM.family].solve(PROBLEM.question).steps}


def checked(step: str) -> float:
    """A reward model of the family's own: its only right chain has this step, or not."""
    return 0.95 if step.strip() in RIGHT else 0.05


async def test_the_bundled_pair_with_a_checker_for_a_scorer(bundled_pair: Pair) -> None:
    async with rating(checked) as server:
        pair = replace(bundled_pair, scorer=PoolingScorer(server.url, price=1.0))
        alone = await told(pair, PROBLEM.question, "srm", sampling=GREEDY)
        run = await told(pair, PROBLEM.question, "rsd", sampling=GREEDY)
        again = await told(pair, PROBLEM.question, "rsd", sampling=GREEDY)
        await pair.close()
    wrong = [step for step in alone.trace.standing if step.text.strip() not in RIGHT]
    assert wrong, "the SRM alone errs here"
    srm = [step for step in run.trace.steps if step.author is Author.SRM]
    assert all(step.standing is (step.text.strip() in RIGHT) for step in srm)
    assert run.trace.drafts
    assert run.trace.answer == f"The answer is \\boxed{{{PROBLEM.target}}}."
    assert run.trace.fingerprint() == again.trace.fingerprint()
    assert run.trace.scorer is not None
    assert len(run.trace.scorer.requests) == len(srm)
    assert (spent(run.trace).usd or 0) > 0


def decisions(trace: Trace, delta: float) -> list[bool | None]:
    return [each.agrees for each in replay(trace, Thresholds(delta=delta))]


async def test_other_deltas_over_the_recorded_rewards() -> None:
    run, _ = await rsd([say("a 0.8\n\nb 0.2"), say("c 0.75" + END)], [say("Better.\n\n")])
    assert all(each is not False for each in decisions(run.trace, 0.7))
    [_, a, b, better, c] = decisions(run.trace, 0.79)
    assert (a, b, better, c) == (True, True, True, False), "c would be rewritten"
    [_, a, b, better, c] = decisions(run.trace, 0.1)
    assert (a, b, better, c) == (True, False, True, None), "b would stand"


def test_a_trace_without_rewards_leaves_the_decision_open() -> None:
    trace = Trace("rsd", Thresholds(), (), {})
    trace.steps = [StepRecord(Author.SRM, "a\n\n", 1, StepEnd.BLANK_LINE, 0)]
    assert [each.decision for each in replay(trace)][-1] == Reward()
