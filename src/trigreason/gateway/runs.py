"""Runs one choice of an exchange, and applies the client's stop strings to the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.events import AnswerText, Done, Event, RunBegun, ThinkingText
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.gateway.stopping import StopFilter
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import StopReason

Handler = Callable[[ChoiceRun, Event], Awaitable[None]]


async def carry_out(
    exchange: Exchange,
    run: ChoiceRun,
    request: GatewayRequest,
    pair: Pair,
    sampling: Sampling,
    budget: Budget,
    handle: Handler,
) -> None:
    """Run the pair; ``handle`` gets every event, and the answer's text up to a stop string.

    If the models think in the open, everything that they write is the answer, as an instruct
    model would send it. Cancellation closes all upstream requests.

    Raises:
        EngineError: a model failed, and the other may not go on alone.
    """
    stops = StopFilter(request.stop)
    events = reason(
        pair,
        request.messages,
        exchange.choice.method,
        thresholds=exchange.choice.thresholds,
        sampling=replace(sampling, seed=sampling.seed + run.index),
        budget=budget,
        conversation=exchange.conversation,
        guide=request.guide,
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
                        await handle(run, AnswerText(author, kept))
                    if stops.hit:
                        run.finish_reason, run.stop_text = "stop", stops.hit
                        return
                    continue
                case Done(trace):
                    if (rest := stops.rest()) and trace.answer_author is not None:
                        await handle(run, AnswerText(trace.answer_author, rest))
                    cut = trace.stop is StopReason.TRUNCATED
                    run.finish_reason = "length" if cut else "stop"
            await handle(run, event)
