"""What a run does while a model fails: it waits, keeps its deadline, can be left, and gives up."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from email.utils import formatdate
from itertools import repeat
from time import perf_counter, time

import pytest

from tests.conftest import soon
from tests.fault_proxy import Break, Fault, Instead, Plan
from tests.faulty_pair import (
    DOWN,
    STORY,
    THRESHOLDS,
    Doubles,
    behind_proxies,
    check_against,
    no_task_left,
    run,
    story,
)
from trigreason.budget import Budget
from trigreason.engines.base import EngineBusy, EngineError, EngineFailed, EngineResting
from trigreason.engines.breaker import TRIALS, Breaker, BreakerState
from trigreason.events import ThinkingText
from trigreason.failure import FailurePolicy
from trigreason.reasoner import reason
from trigreason.reasoning import StopReason
from trigreason.running.backoff import Backoff
from trigreason.running.deadline import Deadline

LATER = Instead(429, headers={"Retry-After": "15"})


# How long a run waits


@pytest.mark.parametrize(
    ("status", "header", "at_least"),
    [
        (429, lambda: "0.4", 0.4),
        (503, lambda: "0.4", 0.4),
        pytest.param(429, lambda: in_seconds(2), 0.9, marks=pytest.mark.slow),
    ],
)
async def test_retry_after_is_waited_for(
    status: int, header: Callable[[], str], at_least: float
) -> None:
    async with no_task_left(), story() as servers:
        busy = Instead(status, headers={"Retry-After": header()})
        async with behind_proxies(servers, [busy]) as doubles:
            begun = perf_counter()
            ending = await run(doubles.pair, "srm")
            assert perf_counter() - begun >= at_least
    assert ending.error is None
    assert ending.trace.degraded is None


def in_seconds(seconds: float) -> str:
    return formatdate(time() + seconds, usegmt=True)


@pytest.mark.parametrize("header", ["3600", "Fri, 31 Dec 2199 23:59:59 GMT"])
async def test_a_server_busy_for_longer_than_a_run_waits_is_away(header: str) -> None:
    busy = Instead(429, headers={"Retry-After": header})
    async with (
        no_task_left(),
        story() as servers,
        behind_proxies(servers, lrm=[busy]) as doubles,
    ):
        ending = await run(doubles.pair)
    assert len(doubles.lrm.asked) == 1
    assert ending.error is None
    assert ending.trace.degraded is not None
    assert ending.trace.seconds < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "plan", [[LATER], [Break("stall", 1500)], [Break("reset", 1500), LATER]], ids=repr
)
async def test_the_deadline_is_kept(plan: list[Fault]) -> None:
    """While backing off, in a stall, and with something written before."""
    async with no_task_left(), story() as servers, behind_proxies(servers, plan) as doubles:
        ending = await run(doubles.pair, "srm", budget=Budget(seconds=0.5))
    assert ending.error is None
    assert ending.trace.stop is StopReason.TRUNCATED
    assert ending.trace.limit == "seconds"
    assert 0.5 <= ending.trace.seconds < 5
    assert STORY.startswith(ending.trace.thinking)
    assert bool(ending.trace.thinking) is isinstance(plan[0], Break)


WAITING = FailurePolicy(retries=9, backoff_seconds=1, longest_wait_seconds=10)


def test_patience_that_cannot_be() -> None:
    FailurePolicy(retries=0, backoff_seconds=0, longest_wait_seconds=0)
    for wrong in ({"retries": -1}, {"backoff_seconds": -0.1}, {"longest_wait_seconds": math.nan}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be 0 or more"):
            FailurePolicy(**wrong)


@pytest.mark.parametrize(
    ("asked", "shortest", "longest"),
    [
        (None, [0, 0, 0, 0, 0, 0], [1, 2, 4, 8, 10, 10]),
        (4.0, [4, 4, 4, 4, 4], [5, 6, 8, 10, 10]),
        (10.0, [10, 10], [10, 10]),
    ],
)
async def test_waits_double_up_to_the_longest(
    asked: float | None,
    shortest: list[float],
    longest: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await waits(0, asked, len(shortest), monkeypatch) == shortest
    assert await waits(1, asked, len(longest), monkeypatch) == longest


async def waits(
    share: float, asked: float | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """How long failures in a row are waited for, with ``share`` of what is left to chance."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    monkeypatch.setattr("random.uniform", lambda low, high: low + share * (high - low))
    one, error = Backoff(WAITING, Deadline()), EngineBusy("busy", "here", "", retry_after=asked)
    for _ in range(count):
        assert not one.is_over(error)
        await one.wait(error)
    return waited


# Leaving early

SITUATIONS: dict[str, list[Fault]] = {
    "while backing off": [LATER],
    "while backing off in the middle": [Break("reset", 500), LATER],
    "in a stall": [Break("stall", 500)],
    "in a retry": [Break("reset", 500), Break("stall", 300)],
}
"""The faults; the run is left at the last of them."""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["trigreason", "srm"])
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_cancelling(situation: str, method: str) -> None:
    plan = SITUATIONS[situation]
    async with no_task_left(), story() as servers, behind_proxies(servers, plan) as doubles:
        running = asyncio.create_task(run(doubles.pair, method))
        assert await soon(lambda: len(doubles.srm.happened) == len(plan))
        await asyncio.sleep(0.05)
        assert not running.done()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_closing_the_iterator_between_two_attempts() -> None:
    """Text of the second request has come, and the consumer has enough."""
    plan = [Break("reset", 500), Break("stall", 300)]
    async with no_task_left(), story() as servers, behind_proxies(servers, plan) as doubles:
        async with aclosing(reason(doubles.pair, "Why?", "srm", thresholds=THRESHOLDS)) as events:
            async for event in events:
                if len(doubles.srm.asked) == 2 and isinstance(event, ThinkingText):
                    break
        assert await soon(lambda: doubles.in_use == 0)


# An engine that keeps failing is left alone


@asynccontextmanager
async def tried_once(srm: Plan) -> AsyncIterator[Doubles]:
    """A pair of which each request has one chance."""
    once = FailurePolicy(retries=0)
    async with (
        no_task_left(),
        story() as servers,
        behind_proxies(servers, srm, policy=once) as doubles,
    ):
        yield doubles


async def failure_of(doubles: Doubles) -> EngineError | None:
    return (await run(doubles.pair, "srm")).error


async def test_the_breaker_opens_over_several_runs_and_closes_again() -> None:
    now = 0.0
    async with tried_once(repeat(DOWN)) as doubles:
        breaker = Breaker(failures=3, rest_seconds=60, clock=lambda: now)
        doubles.pair.srm.breaker = breaker
        states: list[BreakerState] = []
        for _ in range(3):
            states.append(breaker.state)
            assert isinstance(await failure_of(doubles), EngineFailed)
        assert isinstance(await failure_of(doubles), EngineResting)
        assert (await run(doubles.pair)).trace.degraded is not None, "the LRM goes on at once"
        assert len(doubles.srm.asked) == 3, "nothing is sent to an engine at rest"
        states.append(breaker.state)

        now = 61
        for _ in range(TRIALS):
            states.append(breaker.state)
            assert isinstance(await failure_of(doubles), EngineFailed), "the trial fails"
        states.append(breaker.state)

        now = 122
        doubles.srm.plan = iter(())
        assert await failure_of(doubles) is None
        states.append(breaker.state)
        assert await failure_of(doubles) is None
    closed, rests, trial = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
    assert states == [closed, closed, closed, rests, *[trial] * TRIALS, rests, closed]


def test_failures_at_the_same_time_count_as_one() -> None:
    now = 0.0
    breaker = Breaker(failures=2, clock=lambda: now)
    states = []
    for count in (5, 1):
        begun = [breaker.enter() for _ in range(count)]
        for leave in begun:
            now += 1
            assert leave is not None
            breaker.failed(leave, "it burns")
        states.append(breaker.state)
    assert states == [BreakerState.CLOSED, BreakerState.OPEN]


async def test_a_cancelled_trial_leaves_the_breaker_half_open() -> None:
    now = 0.0
    async with tried_once([DOWN, Break("stall")]) as doubles:
        doubles.pair.srm.breaker = Breaker(failures=1, rest_seconds=9, clock=lambda: now)
        assert await failure_of(doubles) is not None
        now = 10
        trial = asyncio.create_task(run(doubles.pair, "srm"))
        assert await soon(lambda: len(doubles.srm.asked) == 2)
        trial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trial
        assert doubles.pair.srm.breaker.state is BreakerState.HALF_OPEN
        assert await failure_of(doubles) is None


@pytest.mark.parametrize("cuts", [3, 12])
async def test_many_breaks_in_a_row_that_each_bring_something(cuts: int) -> None:
    """Only attempts without a new token count against the retries."""
    async with no_task_left(), story() as servers:
        async with behind_proxies(servers) as doubles:
            right = (await run(doubles.pair, "srm")).trace
        plan = [Break("reset", 400)] * cuts
        async with behind_proxies(servers, plan) as doubles:
            ending = await run(doubles.pair, "srm")
    check_against(right, ending)
    assert ending.error is None
