"""Ends before the end: closed iterators, cancelled tasks, engines that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest

from tests.conftest import soon
from tests.runs import QUIET, check_accounts
from tests.scripted_server import Double, Reply, Said, Shape, chatter, say, scripted_pair
from trigreason.engines.base import EngineError, EngineFailed, EngineUnreachable
from trigreason.events import AnswerText, Event, RunBegun, StepAccepted, ThinkingText
from trigreason.failure import Away, FailurePolicy
from trigreason.reasoner import reason
from trigreason.reasoning import StepEnd, Thresholds, Trace

END = "</think>\n\nIt is"
JUDGING = [Reply([], then="stall")]
SITUATIONS: dict[str, tuple[list[Reply], list[Reply], str, type[Event]]] = {
    "in a step": ([chatter("a\n\nb")], [], "srm", StepAccepted),
    "in the LRM's stretch": ([], [chatter("a b")], "trigreason", ThinkingText),
    "after a handover": ([chatter("c\n\nd")], [chatter("a\n\n")], "trigreason", StepAccepted),
    "in an answer of its own": ([say("a"), chatter("It is")], [], "srm", AnswerText),
    "in an answer in the stream": ([chatter("a" + END)], [], "srm", AnswerText),
}
"""What the SRM and the LRM say, under which method, and the last event that is read."""


AT_ONCE = FailurePolicy(retries=0, lrm_away=Away.FAIL, srm_away=Away.FAIL)
"""A failure is the end."""


@asynccontextmanager
async def nothing_left(double: Double) -> AsyncIterator[None]:
    """No stream on the server, no connection in use and no task beyond those there before."""
    before = asyncio.all_tasks()
    yield
    assert await soon(lambda: double.open_streams == 0)
    assert await soon(lambda: double.connections == 0)
    assert await soon(lambda: not (asyncio.all_tasks() - before - servers_own()))


def servers_own() -> set[asyncio.Task[Any]]:
    """Tasks of the double, which keep waiting for requests on connections kept alive."""
    return {task for task in asyncio.all_tasks() if "RequestHandler.start" in repr(task)}


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_closing_the_iterator_closes_everything(situation: str) -> None:
    srm, lrm, method, last = SITUATIONS[situation]
    async with scripted_pair(srm, lrm) as double, nothing_left(double):
        events = reason(double.pair, "Why?", method, thresholds=Thresholds(n=1))
        while not isinstance(await anext(events), last):
            pass
        await events.aclose()


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_cancelling_the_task_closes_everything(situation: str) -> None:
    srm, lrm, method, last = SITUATIONS[situation]
    async with scripted_pair(srm, lrm) as double, nothing_left(double):
        reached = asyncio.Event()
        running = asyncio.create_task(consume(double, method, last, reached))
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_cancelling_before_the_first_token() -> None:
    async with scripted_pair([Reply([], then="stall")]) as double, nothing_left(double):
        running = asyncio.create_task(consume(double, "srm"))
        assert await soon(lambda: double.open_streams == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_cancelling_while_the_judge_is_asked_closes_both() -> None:
    async with scripted_pair([chatter("a\n\n")], JUDGING) as double, nothing_left(double):
        running = asyncio.create_task(consume(double, "specreason"))
        assert await soon(lambda: double.open_streams == 2), "the SRM's stream stays open"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_what_was_written_when_a_run_is_left_stands_in_its_order() -> None:
    """The step under judgement, and behind it the one that was begun."""
    srm = [Reply([Said("a"), Said("\n\nb")], then="stall")]
    async with scripted_pair(srm, JUDGING) as double, nothing_left(double):
        begun: list[Event] = []
        running = asyncio.create_task(read(double, "specreason", QUIET, begun))
        assert await soon(lambda: double.open_streams == 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert isinstance(begun[0], RunBegun)
    assert [step.text for step in begun[0].trace.steps] == ["a\n\n", "b"]


async def test_a_consumer_that_breaks_off() -> None:
    async with (
        scripted_pair([chatter("a\n\nb")]) as double,
        nothing_left(double),
        aclosing(reason(double.pair, "Why?", "srm")) as events,
    ):
        async for event in events:
            if isinstance(event, StepAccepted):
                break


async def test_a_consumer_that_raises() -> None:
    async with scripted_pair([chatter("a\n\nb")]) as double, nothing_left(double):
        with suppress(ZeroDivisionError):
            async with aclosing(reason(double.pair, "Why?", "srm")) as events:
                async for event in events:
                    if isinstance(event, StepAccepted):
                        raise ZeroDivisionError


async def consume(
    double: Double,
    method: str,
    last: type[Event] = StepAccepted,
    reached: asyncio.Event | None = None,
) -> None:
    """Reads a run to its end, and says when it has come to ``last``."""
    events = reason(double.pair, "Why?", method, thresholds=Thresholds(n=1))
    async with aclosing(events):
        async for event in events:
            if reached is not None and isinstance(event, last):
                reached.set()


# Engines that fail


async def read(double: Double, method: str, thresholds: Thresholds, into: list[Event]) -> None:
    async with aclosing(reason(double.pair, "Why?", method, thresholds=thresholds)) as events:
        async for event in events:
            into.append(event)  # noqa: PERF401 - what came before a failure counts


async def failed(
    double: Double, method: str = "srm", kind: type[EngineError] = EngineError
) -> tuple[list[Event], Trace]:
    """The events before the failure, and the trace the error carries."""
    told: list[Event] = []
    with pytest.raises(kind) as caught:
        await read(double, method, QUIET, told)
    trace = caught.value.details["trace"]
    assert isinstance(trace, Trace)
    check_accounts(trace)
    assert "".join(each.text for each in told if isinstance(each, ThinkingText)) == trace.thinking
    return told, trace


@pytest.mark.parametrize("per_chunk", [1, 99])
@pytest.mark.parametrize("shape", ["chat", "legacy"])
@pytest.mark.parametrize(("then", "kind"), [("break", EngineUnreachable), ("error", EngineFailed)])
async def test_the_error_carries_what_was_written(
    then: Any, kind: type[EngineError], shape: Shape, per_chunk: int
) -> None:
    script = [say("a b\n\nc d", then=then, per_chunk=per_chunk)]
    async with scripted_pair(script, shape=shape, failure=AT_ONCE) as double, nothing_left(double):
        _, trace = await failed(double, kind=kind)
    assert [step.text for step in trace.steps] == ["a b\n\n", "c d"]
    assert [step.end for step in trace.steps] == [StepEnd.BLANK_LINE, StepEnd.CUT_OFF]
    assert trace.stop is None
    assert trace.seconds > 0


@pytest.mark.parametrize(
    "script", [[say("a" + END, then="break")], [say("a"), say("It is", then="break")]]
)
async def test_an_answer_that_breaks_off(script: list[Reply]) -> None:
    async with scripted_pair(script, failure=AT_ONCE) as double:
        told, trace = await failed(double)
    assert trace.thinking == "a"
    assert trace.answer == "It is"
    assert "".join(each.text for each in told if isinstance(each, AnswerText)) == "It is"


@pytest.mark.parametrize("per_chunk", [1, 99])
@pytest.mark.parametrize("judge", [Reply([], then="break"), Reply([], status=503)])
async def test_a_judge_that_fails(judge: Reply, per_chunk: int) -> None:
    """Steps and drafts so far are told and kept, the step under judgement too."""
    srm = [say("Good.\n\nBad.\n\nMore", per_chunk=per_chunk, then="stall")]
    async with (
        scripted_pair(srm, [say("9"), judge], failure=AT_ONCE) as double,
        nothing_left(double),
    ):
        _, trace = await failed(double, "specreason")
    assert trace.thinking.startswith("Good.\n\nBad.\n\n")
    assert [step.score for step in trace.steps[:2]] == [9, None]
    assert trace.steps[1].end is StepEnd.CUT_OFF


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_a_request_that_is_refused(status: int) -> None:
    async with (
        scripted_pair([Reply([], status=status)], failure=AT_ONCE) as double,
        nothing_left(double),
    ):
        _, trace = await failed(double)
    assert trace.steps == []
    assert len(trace.stretches) == 1


async def test_a_second_stretch_that_is_refused() -> None:
    broken = Reply([], status=500)
    async with (
        scripted_pair([broken], [chatter("a\n\n")], failure=AT_ONCE) as double,
        nothing_left(double),
    ):
        with pytest.raises(EngineFailed) as caught:
            await read(double, "trigreason", Thresholds(n=1), [])
    assert caught.value.details["trace"].thinking == "a\n\n"
