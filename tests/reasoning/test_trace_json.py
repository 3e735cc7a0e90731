"""Traces on disk: what is written is read back, and what is damaged is named."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given

from tests.reasoning.traces import ASKED, RUN, TRACES, often, trace_of
from trigreason.reasoning import (
    Message,
    Tool,
    ToolCall,
    Trace,
    load_trace,
    totals,
    trace_from_json,
    trace_to_json,
)


@given(TRACES)
@often
def test_json_round_trip(trace: Trace) -> None:
    text = json.dumps(trace_to_json(trace))
    read = load_trace(text)
    assert read == trace
    assert read.fingerprint() == trace.fingerprint()
    assert json.dumps(trace_to_json(read)) == text


def test_json_has_every_field_and_the_totals() -> None:
    trace = trace_of(*RUN)
    values = json.loads(json.dumps(trace_to_json(trace)))
    assert {each.name for each in fields(Trace)} < set(values)
    assert values["totals"] == json.loads(json.dumps(totals(trace)))
    assert values["totals"]["handovers"] == {"strategic_priming": 1, "cognitive_offload": 1}
    assert (values["totals"]["smt"], values["totals"]["srm"]["draft_tokens"]) == (0.5, 7)


def test_a_trace_inside_an_answer_is_read() -> None:
    trace = trace_of(*RUN)
    assert trace_from_json({"answer": "2", "trace": trace_to_json(trace)}) == trace


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "no schema"),
        ([], "no schema"),
        (None, "no schema"),
        ("trace", "no schema"),
        ({"trace": {}}, "no schema"),
        ({"schema": 1}, "schema 1, and this version reads 2"),
        ({"schema": 3}, "schema 3, and this version reads 2"),
        ({"schema": 2}, "damaged.*'method'"),
    ],
)
def test_no_trace(values: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        trace_from_json(values)


@pytest.mark.parametrize("text", ["", "{", "not JSON", "\ufeff{}"])
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        load_trace(text)


WRITTEN: dict[str, Any] = json.loads(json.dumps(trace_to_json(trace_of(*RUN, stretches=(ASKED,)))))
DERIVED = {"schema", "fingerprint", "totals"}
ADDED: dict[str, Any] = {
    "in_the_open": False,
    "step_break": "blank_line",
    "scorer": None,
    "tools": (),
}
"""Fields that traces of this schema did not have at first, and what their absence means."""


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - DERIVED - set(ADDED)))
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"damaged.*{name}"):
        trace_from_json({key: value for key, value in WRITTEN.items() if key != name})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"models": []}, "items"),
        ({"models": {"xrm": "x"}}, "xrm"),
        ({"prices": {"srm": {}}}, "input"),
        ({"prices": 7}, "items"),
        ({"steps": [{}]}, "author"),
        ({"steps": None}, "NoneType"),
        ({"steps": [WRITTEN["steps"][0] | {"end": "never"}]}, "never"),
        ({"steps": [WRITTEN["steps"][0] | {"mood": 1}]}, "mood"),
        ({"stretches": [WRITTEN["stretches"][0] | {"purpose": "fun"}]}, "fun"),
        ({"stretches": ["x"]}, "indices"),
        ({"stop": "whim"}, "whim"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"thresholds": {"k": 0}}, "k "),
        ({"thresholds": {"q": 0}}, "'q'"),
    ],
)
def test_a_damaged_field_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"damaged.*{complaint}"):
        trace_from_json(WRITTEN | change)


@pytest.mark.parametrize("name", sorted(DERIVED - {"schema"}))
def test_what_follows_is_not_read(name: str) -> None:
    assert trace_from_json(WRITTEN | {name: "nonsense"}) == trace_from_json(WRITTEN)


@pytest.mark.parametrize(("name", "meaning"), ADDED.items())
def test_an_older_trace_lacks_newer_fields(name: str, meaning: object) -> None:
    older = {key: value for key, value in WRITTEN.items() if key != name}
    assert getattr(trace_from_json(older), name) == meaning


def test_calls_and_tools_come_back() -> None:
    trace = trace_of(*RUN)
    call = ToolCall("c1", "add", '{"a": 1}')
    trace.messages = (
        Message("user", "Add."),
        Message("assistant", "", (call,), reasoning="Hm."),
        Message("tool", "3", tool_call_id="c1"),
    )
    trace.tools = (Tool("add", "{}"),)
    read = trace_from_json(json.loads(json.dumps(trace_to_json(trace))))
    assert (read.messages, read.tools) == (trace.messages, trace.tools)
    assert trace_to_json(trace)["messages"][0] == {"role": "user", "content": "Add."}
