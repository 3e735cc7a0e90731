"""Exchanges to tell of: one made by hand with every kind of thing in it, and real ones."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from trigreason.engines.breaker import Breaker
from trigreason.events import Done, HandedOver, RunBegun, ThinkingText, WentOnAlone
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange, ExchangeOutcome, ModelChoice
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.telemetry import Telemetry
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import (
    Author,
    Degraded,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StepRecord,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
)

SRM, LRM = Author.SRM, Author.LRM
PROMPT, ANSWER, THOUGHT = "my prompt 7714", "my answer 4177", "my thought 1747"
"""Texts that must be found nowhere unless they are asked for."""


@dataclass
class Places:
    """A queue at a moment."""

    running: int = 3
    waiting: int = 5


def breakers() -> list[tuple[str, Author, Breaker]]:
    """One that is closed, one that is open."""
    failing = Breaker(failures=1)
    leave = failing.enter()
    assert leave is not None
    failing.failed(leave, "it is away")
    return [("qwen", SRM, Breaker()), ("qwen", LRM, failing)]


def made_trace(**changes: Any) -> Trace:
    """Priming, an SRM step, a draft that the LRM rewrites, and a request that failed."""

    def step(author: Author, stretch: int, tokens: int, **more: Any) -> StepRecord:
        return StepRecord(author, THOUGHT, tokens, StepEnd.BLANK_LINE, stretch, **more)

    primed, offloaded = Trigger.STRATEGIC_PRIMING, Trigger.COGNITIVE_OFFLOAD
    trace = Trace(
        method="trigreason",
        thresholds=Thresholds(),
        messages=(Message("user", PROMPT),),
        models={SRM: "small", LRM: "large"},
        sampling={"temperature": 0.6, "top_p": 0.95, "seed": 7},
        prices={SRM: Prices(1.0, 2.0), LRM: Prices(10.0, 20.0)},
        steps=[
            step(LRM, 0, 30, trigger=primed),
            step(SRM, 1, 50, ratio=0.5),
            step(SRM, 1, 7, ratio=0.9, standing=False),
            step(LRM, 3, 20, trigger=offloaded),
        ],
        stretches=[
            Stretch(LRM, Purpose.WRITE, primed, 100, 0, 30, 30, 0, 0.2, 1.0, None, 0.0),
            Stretch(SRM, Purpose.WRITE, None, 130, 90, 60, 60, 3, 0.05, 0.5, None, 1.0),
            Stretch(LRM, Purpose.WRITE, offloaded, began_seconds=1.5, seconds=0.1, failed=PROMPT),
            Stretch(LRM, Purpose.WRITE, offloaded, 180, 130, 29, 29, 0, 0.1, 1.0, None, 1.6),
        ],
        answer=ANSWER,
        answer_by={LRM: 9},
        seconds=2.75,
    )
    return replace(trace, **changes)


def made_exchange(**changes: Any) -> Exchange:
    """One that waited for a quarter of a second and then ran for 2.75 s, with two texts first."""
    exchange = Exchange(
        id="req-1",
        api=Api.CHAT,
        model="qwen:rho=0.85",
        choice=ModelChoice("qwen"),
        streamed=True,
        source="0123456789",
        key=ActiveKey(id="0123456789", name="laptop"),
        runs=[ChoiceRun(0, made_trace(), 0.5, 2.0, "stop")],
        created=1_700_000_000.0,
        queued_seconds=0.25,
        seconds=3.0,
        outcome=ExchangeOutcome.FINISHED,
    )
    return replace(exchange, **changes)


def degraded_exchange() -> Exchange:
    trace = made_trace(degraded=Degraded(LRM, 1, "it is away"))
    return made_exchange(runs=[ChoiceRun(0, trace, 0.5, 2.0, "stop")])


async def real_exchange(pair: Pair, question: str, telemetry: Telemetry) -> Exchange:
    """A question to a real pair, told as the gateway tells it."""
    run = ChoiceRun()
    exchange = made_exchange(runs=[run], outcome=None, queued_seconds=0.0, began=perf_counter())
    telemetry.begun(exchange)
    async with aclosing(reason(pair, question)) as events:
        async for event in events:
            match event:
                case RunBegun(trace) | Done(trace):
                    run.trace = trace
                case ThinkingText() if run.first_reasoning_seconds is None:
                    run.first_reasoning_seconds = perf_counter() - exchange.began
                case HandedOver() | WentOnAlone():
                    telemetry.handed_over(exchange, run, event)
    exchange.outcome, exchange.seconds = ExchangeOutcome.FINISHED, perf_counter() - exchange.began
    telemetry.ended(exchange)
    return exchange
