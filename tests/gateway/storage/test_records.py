"""An exchange made into a record, and a record into a line and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.storage.books import record
from tests.gateway.telemetry.exchanges import degraded_exchange, made_exchange, made_trace
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.gateway.storage import Record
from trigreason.reasoning import trace_from_json


def test_of_an_exchange() -> None:
    made = Record.of(made_exchange(), keep_traces=False)
    expected = {
        "id": "req-1",
        "key": "0123456789",
        "api": "chat",
        "model": "qwen:rho=0.85",
        "pair": "qwen",
        "method": "trigreason",
        "outcome": "finished",
        "first_reasoning_seconds": 0.5,
        "first_answer_seconds": 2.0,
        "prompt_tokens": 100,
        "reasoning_tokens": 100,
        "answer_tokens": 9,
        "draft_tokens": 7,
        "srm_tokens": 60,
        "lrm_tokens": 59,
        "srm_requests": 1,
        "lrm_requests": 3,
        "runs": 1,
        "traces": {},
    }
    assert {name: made.to_json()[name] for name in expected} == expected
    assert (made.usd, made.usd_is_estimate) == made_exchange().spent
    assert made.tokens == 209
    assert made.ended == 1_700_000_003.0


def test_of_one_that_never_ran() -> None:
    refused = made_exchange(
        runs=[ChoiceRun(0), ChoiceRun(1)], outcome=ExchangeOutcome.REFUSED, error="x\0y", key=None
    )
    made = Record.of(refused, keep_traces=True)
    assert (made.tokens, made.usd, made.traces, made.runs) == (0, 0, {}, 2)
    assert (made.first_answer_seconds, made.key, made.error) == (None, None, "x\ufffdy")
    assert not made.was_served


def test_traces_are_kept_by_run() -> None:
    runs = [
        ChoiceRun(0, made_trace(), 0.5, 2.0),
        ChoiceRun(1),
        ChoiceRun(2, made_trace(), 0.3, 2.5),
    ]
    made = Record.of(replace(degraded_exchange(), runs=runs), keep_traces=True)
    assert list(made.traces) == ["req-1", "req-1-2"]
    assert made.first_reasoning_seconds == 0.3
    again = Record.from_line(made.to_line())
    assert trace_from_json(again.traces["req-1"]).thinking == made_trace().thinking


@given(st.text(max_size=2000))
def test_any_name_of_a_model_can_be_kept(name: str) -> None:
    exchange: Exchange = made_exchange(model=name)
    kept = Record.of(exchange, keep_traces=False).model
    assert len(kept) <= 500
    assert "\0" not in kept
    kept.encode()


def test_a_line_is_one_line_of_ascii() -> None:
    one = record("x", model="ünï\n\u2028", traces={"x": {"text": "\0\ud800\r\n"}})
    line = one.to_line()
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert Record.from_line(line) == one


@pytest.mark.parametrize("values", [None, [], 3, {}, {"id": "x"}, record("x").to_json() | {"y": 1}])
def test_what_is_no_record(values: Any) -> None:
    with pytest.raises(ValueError, match="this is no record"):
        Record.from_line(json.dumps(values).encode())
