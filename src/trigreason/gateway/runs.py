"""One choice of an exchange, run: the reasoner's events, with the client's stop strings seen to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.events import AnswerText, Done, Event, RunBegun, ThinkingText
from trigreason.gateway.asked import GatewayRequest
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.stopping import StopFilter
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import StopReason

Tell = Callable[[ChoiceRun, Event], Awaitable[None]]


async def carry_out(
    exchange: Exchange,
    run: ChoiceRun,
    asked: GatewayRequest,
    pair: Pair,
    sampling: Sampling,
    budget: Budget,
    tell: Tell,
) -> None:
    """Let the pair answer; ``tell`` gets each event, the answer's only up to a stop string.

    Where the models think in the open, all that they write is the answer: a client gets what an
    instruct model would have sent it.

    Cancelling it closes everything upstream.

    Raises:
        EngineError: a model failed, and nobody may go on.
    """
    stops = StopFilter(asked.stop)
    events = reason(
        pair,
        asked.messages,
        exchange.choice.method,
        thresholds=exchange.choice.thresholds,
        sampling=replace(sampling, seed=sampling.seed + run.index),
        budget=budget,
    )
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ThinkingText) and run.trace and run.trace.in_the_open:
                event = AnswerText(event.author, event.text)
            match event:
                case RunBegun(trace):
                    run.trace = trace
                case ThinkingText() if run.first_reasoning_seconds is None:
                    run.first_reasoning_seconds = perf_counter() - exchange.began
                case AnswerText(author, text):
                    if run.first_answer_seconds is None:
                        run.first_answer_seconds = perf_counter() - exchange.began
                    if kept := stops.push(text):
                        await tell(run, AnswerText(author, kept))
                    if stops.hit:
                        run.finish_reason = "stop"
                        return
                    continue
                case Done(trace):
                    if (rest := stops.rest()) and trace.answer_author is not None:
                        await tell(run, AnswerText(trace.answer_author, rest))
                    cut = trace.stop is StopReason.TRUNCATED
                    run.finish_reason = "length" if cut else "stop"
            await tell(run, event)
