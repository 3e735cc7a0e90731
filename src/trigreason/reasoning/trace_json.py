"""A trace on disk: one JSON object with a schema version.

``totals`` is there for people and other programs; reading a trace back ignores it, because it
follows from the steps and the requests. Floats are written in full, so that replaying a trace
that was read back gives the very same decisions.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from trigreason.reasoning.messages import Message
from trigreason.reasoning.records import (
    Degraded,
    Prices,
    Purpose,
    StepRecord,
    StopReason,
    Stretch,
)
from trigreason.reasoning.rewards import ScorerLog
from trigreason.reasoning.steps import Author, StepBreak, StepEnd
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.tools import Tool, ToolCall
from trigreason.reasoning.top_logprobs import TopLogprobs
from trigreason.reasoning.trace import Trace
from trigreason.reasoning.triggers import Trigger

SCHEMA_VERSION = 2


def trace_to_json(trace: Trace) -> dict[str, Any]:
    """The trace as plain values, ready for ``json.dumps``."""
    return {
        "schema": SCHEMA_VERSION,
        "fingerprint": trace.fingerprint(),
        "method": trace.method,
        "thresholds": trace.thresholds.to_json(),
        "messages": [_message(message) for message in trace.messages],
        "models": dict(trace.models),
        "sampling": trace.sampling,
        "logprob_scale": trace.logprob_scale,
        "prices": {author: asdict(prices) for author, prices in trace.prices.items()},
        "in_the_open": trace.in_the_open,
        "step_break": trace.step_break,
        "tools": [tool._asdict() for tool in trace.tools],
        "steps": [_flat(step) | {"top": step.top.to_text()} for step in trace.steps],
        "stretches": [_flat(stretch) for stretch in trace.stretches],
        "answer": trace.answer,
        "answer_by": dict(trace.answer_by),
        "degraded": asdict(trace.degraded) if trace.degraded else None,
        "stop": trace.stop,
        "limit": trace.limit,
        "unreadable_scores": trace.unreadable_scores,
        "scorer": trace.scorer.to_json() if trace.scorer else None,
        "seconds": trace.seconds,
        "totals": totals(trace),
    }


def _flat(record: StepRecord | Stretch) -> dict[str, Any]:
    """The fields of a record, without the deep copy of ``asdict``: a long run has 10,000s."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def totals(trace: Trace) -> dict[str, Any]:
    """Numbers that follow from a trace: tokens, requests, cost per model, SMT, handovers."""
    scorer = {"scorer": trace.scorer.totals()} if trace.scorer else {}
    return {
        "smt": trace.smt,
        "thinking_tokens": trace.thinking_tokens,
        "drafts": len(trace.drafts),
        "handovers": {str(key): count for key, count in trace.handovers_by_trigger.items()},
        "usd": trace.usd,
        **{str(author): asdict(trace.use(author)) for author in Author},
        **scorer,
    }


def trace_from_json(values: Any) -> Trace:
    """A trace that :func:`trace_to_json` (or ``solve --json``) made.

    Raises:
        ValueError: this is no trace, or one of a schema this version cannot read.
    """
    if isinstance(values, dict) and isinstance(values.get("trace"), dict):
        values = values["trace"]
    if not isinstance(values, dict) or "schema" not in values:
        raise ValueError("this is no trace: it has no schema version")
    if values["schema"] != SCHEMA_VERSION:
        raise ValueError(
            f"this trace has schema {values['schema']}, and this version reads {SCHEMA_VERSION}"
        )
    try:
        return _read(values)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this trace is damaged: {error!r} in a required field") from error


def load_trace(text: str) -> Trace:
    """A trace from JSON text. Raises ValueError, also where the text is no JSON."""
    try:
        return trace_from_json(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"this is no trace: it is no JSON ({error})") from error


def _read(values: dict[str, Any]) -> Trace:
    return Trace(
        method=values["method"],
        thresholds=Thresholds.from_json(values["thresholds"]),
        messages=tuple(_read_message(message) for message in values["messages"]),
        models={Author(author): name for author, name in values["models"].items()},
        sampling=values["sampling"],
        logprob_scale=values["logprob_scale"],
        prices={Author(author): Prices(**price) for author, price in values["prices"].items()},
        in_the_open=values.get("in_the_open", False),
        step_break=StepBreak(values.get("step_break", StepBreak.BLANK_LINE)),
        tools=tuple(Tool(**tool) for tool in values.get("tools", ())),
        steps=[_read_step(step) for step in values["steps"]],
        stretches=[_read_stretch(stretch) for stretch in values["stretches"]],
        answer=values["answer"],
        answer_by={Author(author): tokens for author, tokens in values["answer_by"].items()},
        degraded=_read_degraded(values["degraded"]),
        stop=_optional(StopReason, values["stop"]),
        limit=values["limit"],
        unreadable_scores=values["unreadable_scores"],
        scorer=ScorerLog.from_json(scorer) if (scorer := values.get("scorer")) else None,
        seconds=values["seconds"],
    )


def _message(message: Message) -> dict[str, Any]:
    """A message without the fields that are empty, which most messages lack."""
    values = message._asdict() | {"tool_calls": [call._asdict() for call in message.tool_calls]}
    return {name: value for name, value in values.items() if value or name in ("role", "content")}


def _read_message(values: dict[str, Any]) -> Message:
    calls = tuple(ToolCall(**call) for call in values.get("tool_calls", ()))
    return Message(**values | {"tool_calls": calls})


def _read_step(values: dict[str, Any]) -> StepRecord:
    return StepRecord(
        **values
        | {
            "author": Author(values["author"]),
            "end": StepEnd(values["end"]),
            "trigger": _optional(Trigger, values["trigger"]),
            "logprobs": tuple(values["logprobs"]),
            "lengths": tuple(values.get("lengths", ())),
            "top": TopLogprobs.from_text(values.get("top", "")),
            "hesitations": tuple(values["hesitations"]),
        }
    )


def _read_stretch(values: dict[str, Any]) -> Stretch:
    return Stretch(
        **values
        | {
            "author": Author(values["author"]),
            "purpose": Purpose(values["purpose"]),
            "trigger": _optional(Trigger, values["trigger"]),
        }
    )


def _read_degraded(values: dict[str, Any] | None) -> Degraded | None:
    if values is None:
        return None
    return Degraded(**values | {"author": _optional(Author, values["author"])})


def _optional(kind: Any, value: Any) -> Any:
    return None if value is None else kind(value)
