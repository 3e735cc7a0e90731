"""The log: one line for each request, with texts only where they are asked for."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.telemetry.exchanges import (
    ANSWER,
    PROMPT,
    THOUGHT,
    Places,
    breakers,
    degraded_exchange,
    made_exchange,
)
from trigreason.configuration import gateway as configured
from trigreason.gateway.exchange import Exchange, ExchangeOutcome
from trigreason.gateway.telemetry import Telemetry, configure_logging, logs
from trigreason.gateway.telemetry.logs import JsonLines

NAMES = ("", "trigreason.gateway", "uvicorn.error", "uvicorn.access")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(name or None) for name in NAMES]
    before = [(each, each.level, each.disabled, list(each.handlers)) for each in loggers]
    yield
    for each, level, disabled, handlers in before:
        each.setLevel(level)
        each.disabled = disabled
        each.handlers[:] = handlers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(
    monkeypatch: pytest.MonkeyPatch,
    exchange: Exchange,
    *,
    log_texts: bool = False,
    to: io.StringIO | None = None,
) -> str:
    """What stderr gets of an exchange."""
    stderr = to or io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(log_texts)
    settings = configured.TelemetrySettings(log_texts=log_texts)
    telemetry = Telemetry(settings, Places(), breakers, lambda: (0, 0))
    telemetry.begun(exchange)
    telemetry.ended(exchange)
    return stderr.getvalue()


def as_json(text: str) -> dict[str, Any]:
    (line,) = text.splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def test_a_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    told = as_json(logged(monkeypatch, made_exchange()))
    assert told.pop("time").endswith("+00:00")
    assert told.pop("usd") == pytest.approx(0.00423)
    assert told.pop("usd_is_estimate") is False
    assert told == {
        "level": "info",
        "logger": "trigreason.gateway",
        "message": "request",
        "id": "req-1",
        "request_id": "",
        "key": "0123456789",
        "source": "0123456789",
        "api": "chat",
        "pair": "qwen",
        "method": "trigreason",
        "streamed": True,
        "outcome": "finished",
        "error": None,
        "seconds": 3.0,
        "queued_seconds": 0.25,
        "tokens": {
            "prompt": 100,
            "cached": 0,
            "reasoning": 100,
            "answer": 9,
            "draft": 7,
            "srm": 60,
            "lrm": 59,
        },
        "prompt_is_estimate": False,
        "lrm_requests": 3,
        "degraded": False,
    }


@pytest.mark.parametrize("to", [io.StringIO(), Terminal()])
def test_no_text_without_being_asked(monkeypatch: pytest.MonkeyPatch, to: io.StringIO) -> None:
    text = logged(monkeypatch, made_exchange(), to=to)
    assert not [each for each in (PROMPT, ANSWER, THOUGHT) if each in text]


def test_texts_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    told = as_json(logged(monkeypatch, made_exchange(), log_texts=True))
    assert told["runs"] == [{"messages": [["user", PROMPT]], "answer": ANSWER}]


def test_words_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = logged(monkeypatch, made_exchange(), to=Terminal())
    assert text[8:] == (
        " req-1 chat qwen:trigreason finished, 3.00 s, 109 tokens (7 drafted), 0.004230 USD, "
        "from 0123456789\n"
    )


def test_what_went_wrong_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = degraded_exchange()
    exchange.outcome, exchange.error, exchange.key = (
        ExchangeOutcome.FAILED,
        "EngineUnreachable",
        None,
    )
    text = logged(monkeypatch, exchange, to=Terminal(), log_texts=True)
    assert "from 0123456789, degraded, EngineUnreachable\n" in text
    assert text.endswith(f"  user: {PROMPT}\n  answer: {ANSWER}\n")


def test_refused_requests_have_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(False)
    Telemetry(configured.TelemetrySettings(), Places(), breakers, lambda: (0, 0)).refused(
        "invalid_request", "10.0.0.9", "0123456789", "req-7"
    )
    told = as_json(stderr.getvalue())
    assert (told["message"], told["reason"]) == ("refused", "invalid_request")
    assert (told["source"], told["key"], told["untold"]) == ("10.0.0.9", "0123456789", 0)
    assert told["request_id"] == "req-7"


def test_many_refused_requests_have_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(logs, "monotonic", lambda: now)
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(False)
    refusals = logs.Refusals()
    for _ in range(500):
        refusals.log("invalid_api_key", "10.0.0.9", None)
    refusals.log("invalid_api_key", "10.0.0.8", "0123456789")
    for number in range(500):
        refusals.log("invalid_api_key", f"10.1.0.{number}", None)
    lines = stderr.getvalue().splitlines()
    assert len(lines) == 10 * refusals.LINES
    assert sum("from 10.0.0.9" in line for line in lines) == refusals.LINES
    assert "from 10.0.0.8 with key 0123456789 (490 others were not logged)" in stderr.getvalue()
    now = refusals.SECONDS
    refusals.log("invalid_api_key", "10.0.0.9", None)
    assert "(411 others were not logged)" in stderr.getvalue().splitlines()[-1]


@pytest.mark.parametrize("log_texts", [False, True])
def test_exceptions_keep_texts_to_themselves(
    monkeypatch: pytest.MonkeyPatch, log_texts: bool
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(log_texts)
    try:
        raise ValueError(PROMPT)
    except ValueError:
        logging.getLogger("somewhere.else").exception("a request failed")
    told = as_json(stderr.getvalue())
    assert told["message"] == "a request failed"
    assert told["exception"].startswith("Traceback" if log_texts else "ValueError < ")
    assert "test_logs.py" in told["exception"]
    assert (PROMPT in stderr.getvalue()) is log_texts


def test_uvicorn_speaks_through_the_same_log(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(False)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.access").info("GET /healthz")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert as_json(stderr.getvalue())["message"] == "Invalid HTTP request received."


def test_a_second_call_replaces_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    configure_logging(False)
    configure_logging(True)
    own = [each for each in logging.getLogger().handlers if isinstance(each.formatter, JsonLines)]
    assert len(own) == 1
