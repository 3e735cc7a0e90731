"""Runs one choice of an exchange, and applies the client's stop strings to the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import chain
from time import perf_counter

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.engines.tool_forms import ToolForm
from trigreason.events import AnswerText, Done, RunBegun, ThinkingText
from trigreason.gateway.errors import unsupported
from trigreason.gateway.exchange import ChoiceRun, Exchange, ModelChoice
from trigreason.gateway.forced_calls import ForcedCalls
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.gateway.stopping import StopFilter
from trigreason.gateway.tools import CalledTools, GatewayEvent
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import Author, MethodRun, StopReason

Handler = Callable[[ChoiceRun, GatewayEvent], Awaitable[None]]


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
        ApiError: there are tools, and a model cannot be offered any.
        EngineError: a model failed, and the other may not go on alone.
    """
    stops = StopFilter(() if request.forced else request.stop)
    called = _called(pair, exchange.choice, request)
    calls_end = request.forced.finish_reason if request.forced else "tool_calls"
    author = Author.SRM
    events = reason(
        pair,
        request.messages,
        exchange.choice.method,
        thresholds=exchange.choice.thresholds,
        sampling=replace(sampling, seed=sampling.seed + run.index),
        budget=budget,
        conversation=exchange.conversation,
        guide=request.bound_to,
        tools=request.tools,
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
                        for told in called.push(author, kept):
                            await handle(run, told)
                    if stops.hit or called.is_over:
                        for told in called.finish(author):
                            await handle(run, told)
                        run.finish_reason = calls_end if called.count else "stop"
                        run.stop_text = stops.hit or None
                        return
                    continue
                case Done(trace):
                    for told in chain(called.push(author, stops.rest()), called.finish(author)):
                        await handle(run, told)
                    cut = trace.stop is StopReason.TRUNCATED
                    whole = calls_end if called.count else "stop"
                    run.finish_reason = "length" if cut else whole
            await handle(run, event)


def _called(pair: Pair, choice: ModelChoice, request: GatewayRequest) -> CalledTools | ForcedCalls:
    """What finds the calls in the answer. Raises ApiError if a model cannot be offered tools."""
    forms = _forms(pair, choice, request)
    if request.forced:
        return ForcedCalls(request.forced.guide)
    return CalledTools(request.tools, forms, parallel=request.parallel_calls)


def _forms(pair: Pair, choice: ModelChoice, request: GatewayRequest) -> dict[Author, ToolForm]:
    """How the models that may write call tools; empty for a request without tools.

    Raises:
        ApiError: one of them cannot be offered tools.
    """
    forms: dict[Author, ToolForm] = {}
    if not request.tools:
        return forms
    thresholds = choice.thresholds or pair.thresholds
    for author in sorted(MethodRun.of(choice.method, thresholds).method.authors):
        form = pair.engine(author).tool_form
        if form is None:
            what = "has no chat template that offers tools in a known form"
            raise unsupported("tools", f"{pair.engine(author).model} {what}")
        forms[author] = form
    return forms
