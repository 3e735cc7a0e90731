"""A trace in few bytes: without what its setting says already, and with rounded numbers.

Logprobs are whole multiples of 0.0001 nats, written without their sign; other numbers have four
digits behind the point. What has its default value is left out. The question's text stays out as
well: published questions are not to be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from trigreason.reasoning import Message, StepRecord, Trace, trace_from_json, trace_to_json
from trigreason.reasoning.records import Stretch
from trigreason.reasoning.trace_json import SCHEMA_VERSION

LOGPROB_UNIT = 1e-4
DIGITS = 4

SAID_BY_SETTING = ("method", "thresholds", "sampling", "models")
OTHERS = ("schema", "fingerprint", "messages", "prices", "totals")
"""What follows from the rest, or is the same for all runs."""


def packed(trace: Trace) -> dict[str, Any]:
    """What is kept of a trace, in plain values."""
    values = trace_to_json(trace)
    for name in (*SAID_BY_SETTING, *OTHERS):
        del values[name]
    values["steps"] = [_packed(StepRecord, each) for each in values["steps"]]
    values["stretches"] = [_packed(Stretch, each) for each in values["stretches"]]
    return _packed(Trace, values)


def unpacked(values: Mapping[str, Any], said: Mapping[str, Any], question: str) -> Trace:
    """The trace again. ``said`` has :data:`SAID_BY_SETTING`; ``question`` is the user's turn.

    Raises:
        ValueError: this is no packed trace.
    """
    whole = {
        **_defaults(Trace),
        **values,
        **{name: said[name] for name in SAID_BY_SETTING},
        "schema": SCHEMA_VERSION,
        "messages": [Message("user", question)._asdict()],
        "steps": [_unpacked(StepRecord, each) for each in values.get("steps", ())],
        "stretches": [_unpacked(Stretch, each) for each in values.get("stretches", ())],
    }
    return trace_from_json(whole)


def _packed(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    defaults = _defaults(kind)
    kept = {
        name: _rounded(value)
        for name, value in values.items()
        if name not in defaults or _plain(value) != _plain(defaults[name])
    }
    if "logprobs" in kept:
        kept["logprobs"] = [
            None if each is None else round(-each / LOGPROB_UNIT) for each in values["logprobs"]
        ]
    return kept


def _unpacked(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    whole = _defaults(kind) | dict(values)
    if "logprobs" in values:
        whole["logprobs"] = [
            None if each is None else -each * LOGPROB_UNIT for each in values["logprobs"]
        ]
    return whole


def _rounded(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """The fields that have a default, and it."""
    return {
        each.name: _default(each)
        for each in fields(kind)
        if each.default is not MISSING or each.default_factory is not MISSING
    }


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
