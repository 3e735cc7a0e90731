"""A pair of continuing doubles behind fault proxies, and what holds of every run over it.

Both continue the same text, so there is one right outcome, whoever writes: what is accepted at
any time is a beginning of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.conftest import soon
from tests.continuing_server import ContinuingServer, Shape, continuing
from tests.fault_proxy import Fault, FaultProxy, Instead, Plan, faulty
from tests.runs import check_accounts, check_replay
from trigreason.engines.base import EngineError
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import Timeouts
from trigreason.events import AnswerText, Done, Event, RunBegun, StepAccepted, ThinkingText
from trigreason.failure import FailurePolicy
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Thresholds, Trace

STORY = (
    "Né: 3 € and 4 € 😀.\n\nThat is surely 7 €.\n\nWait, is it?\n\nHmm, wait: 3 + 4.\n\n"
    "```\nx = 3\n\ny = 4\n```\n\nIt was poorly said.\n\nSo seven</think>\n\nIt is 7 €: \\boxed{7}."
)
"""One step for priming, one that fires the offload, two that hesitate, a fence with a blank line,
one that the judge rejects, and an answer."""

THRESHOLDS = Thresholds(n=1, k=2, m=1)
SOON = FailurePolicy(backoff_seconds=0.001)
PATIENT = Timeouts()
DOWN = Instead(503)


@dataclass
class Doubles:
    """A pair of which each model is a double behind a fault proxy."""

    pair: Pair
    srm: FaultProxy
    lrm: FaultProxy
    servers: tuple[ContinuingServer, ContinuingServer]

    @property
    def engines(self) -> tuple[CompletionsEngine, CompletionsEngine]:
        assert isinstance(self.pair.srm, CompletionsEngine)
        assert isinstance(self.pair.lrm, CompletionsEngine)
        return self.pair.srm, self.pair.lrm

    @property
    def happened(self) -> list[Fault]:
        return self.srm.happened + self.lrm.happened

    @property
    def in_use(self) -> int:
        """Connections and requests between an engine and its model, on all their ways."""
        sessions = [each._session for each in self.engines if each._session is not None]
        acquired = [each.connector._acquired for each in sessions if each.connector is not None]
        proxied = sum(each.calls + each.upstreams for each in (self.srm, self.lrm))
        streamed = sum(each.open_streams for each in self.servers)
        return sum(map(len, acquired)) + proxied + streamed


Servers = tuple[ContinuingServer, ContinuingServer]


@asynccontextmanager
async def story(
    text: str = STORY, *, shape: Shape = "chat", pause: float = 0.0
) -> AsyncIterator[Servers]:
    """Two models that know the same text, the SRM and the LRM."""
    async with (
        continuing(text, shape=shape, pause=pause) as small,
        continuing(text, shape=shape, pause=pause) as large,
    ):
        yield small, large


@asynccontextmanager
async def behind_proxies(
    servers: Servers,
    srm: Plan = (),
    lrm: Plan = (),
    *,
    policy: FailurePolicy = SOON,
    timeouts: Timeouts = PATIENT,
) -> AsyncIterator[Doubles]:
    """The pair with these faults on its way; when it is left, nothing of it may be left."""
    async with faulty(servers[0].url, srm) as small, faulty(servers[1].url, lrm) as large:
        pair = Pair(
            CompletionsEngine(small.url, "small", timeouts=timeouts),
            CompletionsEngine(large.url, "large", timeouts=timeouts),
            failure=policy,
        )
        doubles = Doubles(pair, small, large, servers)
        try:
            yield doubles
            assert await soon(lambda: doubles.in_use == 0)
        finally:
            await pair.close()
        assert await soon(lambda: small.clients + large.clients == 0)
    assert [each.strayed for each in servers] == [[], []]


def only(author: Author, plan: Plan) -> tuple[Plan, Plan]:
    """The plans of both, with faults for one of them."""
    return (plan, ()) if author is Author.SRM else ((), plan)


@asynccontextmanager
async def no_task_left() -> AsyncIterator[None]:
    """No task beyond those there before, and those of servers that wait on idle connections."""
    before = asyncio.all_tasks()

    def left() -> set[asyncio.Task[Any]]:
        own = ("RequestHandler.start", "FaultProxy.serve")
        now = asyncio.all_tasks() - before
        return {task for task in now if not any(each in repr(task) for each in own)}

    yield
    assert await soon(lambda: not left()), left()


class Ending(NamedTuple):
    """How a run ended: what it told, its trace, and the error where it ended with one."""

    events: list[Event]
    trace: Trace
    error: EngineError | None

    def told(self, kind: type[ThinkingText] | type[AnswerText]) -> str:
        return "".join(each.text for each in self.events if isinstance(each, kind))


async def run(
    pair: Pair, method: str = "trigreason", *, question: str = "Why?", **how: Any
) -> Ending:
    """A run to its end, after checking what holds of every end."""
    events: list[Event] = []
    error: EngineError | None = None
    try:
        running = reason(pair, question, method, thresholds=THRESHOLDS, **how)
        async with aclosing(running):
            async for event in running:
                events.append(event)  # noqa: PERF401 - what came before a failure counts
    except EngineError as failure:
        error = failure
    first = events[0]
    assert isinstance(first, RunBegun)
    ending = Ending(events, first.trace, error)
    check(ending)
    return ending


def check(ending: Ending) -> None:
    events, trace, error = ending
    assert ending.told(ThinkingText) == trace.thinking
    assert ending.told(AnswerText) == trace.answer
    accepted = [each.step for each in events if isinstance(each, StepAccepted)]
    assert accepted == trace.standing
    check_accounts(trace)
    check_replay(trace)
    if error is None:
        assert isinstance(events[-1], Done)
        assert trace.stop is not None
    else:
        assert error.details["trace"] is trace
        assert trace.stop is None
        assert "\n" not in str(error)


def check_against(right: Trace, ending: Ending) -> None:
    """What was accepted is a beginning of the fault-free run, and all of it where it ended well.

    Token counts are left out: where a server tells the tokens of a character before its text, a
    cut between them has them written, and counted, again.
    """
    trace = ending.trace
    assert right.thinking.startswith(trace.thinking)
    assert right.answer.startswith(trace.answer)
    assert not trace.answer or trace.thinking == right.thinking
    if ending.error is None:
        assert trace.stop is right.stop
        assert (trace.thinking, trace.answer) == (right.thinking, right.answer)
        if trace.degraded is None:
            assert decisions(trace) == decisions(right)


def decisions(trace: Trace) -> list[tuple[object, ...]]:
    return [
        (step.author, step.text, step.trigger, step.standing, step.score) for step in trace.steps
    ]
