"""What clients see of an exchange: usage in OpenAI's shape, and the ``trigreason`` object."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from trigreason.events import (
    DraftDropped,
    HandedOver,
    RunBegun,
    StepAccepted,
    StepBegun,
    WentOnAlone,
)
from trigreason.gateway.errors import in_short
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange
from trigreason.gateway.tools import GatewayEvent
from trigreason.reasoning import (
    Author,
    Degraded,
    StepRecord,
    Trace,
    spent,
    spent_on_rewards,
    trace_to_json,
)

COMMENT = b": keep-alive\n\n"
"""The sign of life in streams of OpenAI's APIs."""

_NAMES, _NAME = 20, 80
"""The most ignored fields that a header tells, and characters of a name."""


def chat_usage(exchange: Exchange) -> dict[str, Any]:
    """Tokens of the prompt as the first model counts them, and of the accepted text.

    :func:`account` has the tokens of drafts and scores, and says whether the prompt's count is an
    estimate; OpenAI's shape has no fields for them.
    """
    prompt = exchange.prompt.tokens
    completion = exchange.reasoning_tokens + exchange.answer_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": min(prompt, exchange.cached_tokens or 0)},
        "completion_tokens_details": {"reasoning_tokens": exchange.reasoning_tokens},
    }


def account(exchange: Exchange) -> dict[str, Any]:
    """The ``trigreason`` object; with several choices it has one ``runs`` entry per choice."""
    cost = exchange.spent
    shared: dict[str, Any] = {
        "pair": exchange.choice.pair,
        "method": exchange.choice.method,
        "usd": cost.usd,
        "usd_is_estimate": cost.is_estimate,
        "prompt_is_estimate": exchange.prompt.is_estimate,
        "queued_seconds": round(exchange.queued_seconds, 6),
    }
    runs = [_of_run(exchange, run) for run in exchange.runs if run.trace is not None]
    return shared | (runs[0] if len(exchange.runs) == 1 and runs else {"runs": runs})


def _of_run(exchange: Exchange, run: ChoiceRun) -> dict[str, Any]:
    trace = run.trace
    assert trace is not None, "a run that has begun has a trace"
    return {
        "trace_id": exchange.trace_id(run),
        "models": {author.value: _of_model(trace, author) for author in trace.models},
        "smt": trace.smt,
        "drafts": len(trace.drafts),
        "scorer": _of_scorer(trace),
        "lrm_requests": trace.use(Author.LRM).requests,
        "handovers": {str(key): count for key, count in trace.handovers_by_trigger.items()},
        "seconds": round(trace.seconds, 6),
        "degraded": _of_degraded(trace.degraded) if trace.degraded else None,
        "stop": trace.stop or ("stop_string" if run.finish_reason else "failed"),
        "limit": trace.limit,
        "seed": trace.sampling["seed"],
        **({"trace": for_clients(trace_to_json(trace))} if exchange.tells_traces else {}),
    }


def _of_degraded(degraded: Degraded) -> dict[str, Any]:
    return asdict(degraded) | {"reason": in_short(degraded.reason)}


def _of_model(trace: Trace, author: Author) -> dict[str, Any]:
    cost = spent(trace, [author])
    usd = {"usd": cost.usd, "usd_is_estimate": cost.is_estimate}
    return {"model": trace.models[author]} | asdict(trace.use(author)) | usd


def _of_scorer(trace: Trace) -> dict[str, Any] | None:
    if trace.scorer is None:
        return None
    cost = spent_on_rewards(trace)
    return trace.scorer.totals() | {"usd": cost.usd, "usd_is_estimate": cost.is_estimate}


def ids(exchange: Exchange) -> dict[str, str]:
    """The headers that name the exchange; Anthropic's clients read ``request-id``."""
    fields = {"x-trigreason-id": exchange.id}
    return fields | ({"request-id": exchange.id} if exchange.api is Api.MESSAGES else {})


def headers(exchange: Exchange) -> dict[str, str]:
    """Response headers; those about time and cost only once the exchange has ended."""
    fields = ids(exchange) | {
        "x-trigreason-pair": quote(exchange.choice.pair, safe=" /:@"),
        "x-trigreason-method": exchange.choice.method,
    }
    if exchange.ignored:
        names = (quote(name[:_NAME], safe="") for name in exchange.ignored[:_NAMES])
        fields["x-trigreason-ignored"] = ", ".join(names)
    timing = []
    if exchange.queued_seconds:  # 0 while the request waits and gets keep-alive comments
        timing.append(f"queue;dur={1000 * exchange.queued_seconds:.1f}")
    if exchange.outcome is not None:
        for author in Author:
            seconds = sum(trace.use(author).seconds for trace in exchange.traces)
            timing.append(f"{author.value};dur={1000 * seconds:.1f}")
        timing.append(f"total;dur={1000 * exchange.seconds:.1f}")
        fields["x-trigreason-lrm-requests"] = str(exchange.requests(Author.LRM))
        fields["x-trigreason-degraded"] = str(exchange.degraded).lower()
        if (usd := exchange.spent.usd) is not None:
            fields["x-trigreason-usd"] = f"{usd:.9f}"
    return fields | ({"server-timing": ", ".join(timing)} if timing else {})


def event_to_json(event: GatewayEvent, so_far: Trace | None) -> dict[str, Any] | None:
    """An event as an entry of ``events``; None for text, which has its own chunks, and for ends.

    A handover tells what the run has cost ``so_far``.
    """
    fields: dict[str, Any]
    match event:
        case RunBegun(trace):
            fields = {"type": "run_begun", "method": trace.method, "models": dict(trace.models)}
            told = {"thresholds": trace.thresholds.to_json(), "in_the_open": trace.in_the_open}
            return fields | told
        case StepBegun(author, trigger):
            return {"type": "step_begun", "author": author, "trigger": trigger}
        case StepAccepted(index, step):
            return {"type": "step_accepted", "index": index} | _signals(step) | _tokens(step)
        case DraftDropped(index, step, trigger):
            fields = {"type": "draft_dropped", "index": index, "trigger": trigger}
            return fields | _signals(step) | _tokens(step) | {"text": step.text}
        case HandedOver(writer, trigger, steps, because):
            fields = {"type": "handed_over", "writer": writer, "trigger": trigger, "steps": steps}
            fields["usd"] = spent(so_far).usd if so_far and so_far.prices else None
            return fields | ({"because": _signals(because)} if because else {})
        case WentOnAlone(author):
            return {"type": "went_on_alone", "author": author}
        case _:
            return None


def for_clients(trace: dict[str, Any]) -> dict[str, Any]:
    """A stored trace without what only the operator may see: prices and the models' addresses."""
    degraded = trace["degraded"]
    return trace | {
        "prices": {},
        "scorer": _without_price(trace.get("scorer")),
        "stretches": [
            request | {"failed": in_short(request["failed"])} if request["failed"] else request
            for request in trace["stretches"]
        ],
        "degraded": degraded and degraded | {"reason": in_short(degraded["reason"])},
    }


def _without_price(scorer: dict[str, Any] | None) -> dict[str, Any] | None:
    if scorer is None:
        return None
    requests = (
        request | {"failed": in_short(request["failed"])} if request["failed"] else request
        for request in scorer["requests"]
    )
    return scorer | {"price": None, "requests": list(requests)}


def _signals(step: StepRecord) -> dict[str, Any]:
    return {
        "author": step.author,
        "tokens": step.tokens,
        "ratio": step.ratio,
        "hesitations": list(step.hesitations),
        "score": step.score,
        "reward": step.reward,
    }


def _tokens(step: StepRecord) -> dict[str, Any]:
    """The logprob (nats) and the length (characters) of each token; empty where none is known."""
    return {"end": step.end, "logprobs": step.logprobs, "lengths": step.lengths}
