"""Spans: what an exchange becomes, and a collector that is there, silent or gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.gateway.telemetry.collector import collector
from tests.gateway.telemetry.exchanges import (
    ANSWER,
    PROMPT,
    THOUGHT,
    Places,
    breakers,
    made_exchange,
    made_trace,
    real_exchange,
)
from trigreason.bundled import problems
from trigreason.configuration import gateway as configured
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.gateway.telemetry import Telemetry
from trigreason.gateway.telemetry.spans import FLUSH_SECONDS, Spans
from trigreason.pairs import Pair

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BEGAN = 1_700_000_000.0


def spans_of(*exchanges: Exchange) -> list[ReadableSpan]:
    """The spans in the order of their ends: an exchange's is after its requests'."""
    exporter = InMemorySpanExporter()
    spans = Spans(SimpleSpanProcessor(exporter))
    for exchange in exchanges:
        spans.ended(exchange)
    spans.close()
    return list(exporter.get_finished_spans())


def seconds(instant: int | None) -> float:
    """After the exchange's acceptance."""
    assert instant is not None
    return round(instant / 1e9 - BEGAN, 4)


def test_an_exchange_is_a_span_with_its_requests_below() -> None:
    *requests, whole = spans_of(made_exchange())
    assert (whole.name, whole.kind) == ("chat qwen", SpanKind.SERVER)
    assert whole.parent is None
    assert whole.context is not None
    assert {each.parent.span_id for each in requests if each.parent} == {whole.context.span_id}
    assert [each.name for each in requests] == [
        "text_completion large",
        "text_completion small",
        "text_completion large",
        "text_completion large",
    ]
    assert {each.kind for each in requests} == {SpanKind.CLIENT}


def test_times_are_those_of_the_trace() -> None:
    *requests, whole = spans_of(made_exchange())
    assert [(seconds(each.start_time), seconds(each.end_time)) for each in requests] == [
        (0.25, 1.25),
        (1.25, 1.75),
        (1.75, 1.85),
        (1.85, 2.85),
    ]
    assert (seconds(whole.start_time), seconds(whole.end_time)) == (0.0, 3.0)


def test_the_exchange_speaks_the_conventions() -> None:
    whole = spans_of(made_exchange())[-1]
    told = dict(whole.attributes or {})
    assert {name: told[name] for name in told if not name.startswith("trigreason.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "trigreason",
        "gen_ai.request.model": "qwen:rho=0.85",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.6,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.request.seed": 7,
        "gen_ai.response.id": "req-1",
        "gen_ai.response.model": "qwen",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.output_tokens": 109,
        "gen_ai.usage.reasoning.output_tokens": 100,
    }
    assert (told["trigreason.method"], told["trigreason.key"]) == ("trigreason", "0123456789")
    assert told["trigreason.draft_tokens"] == 7


def test_a_request_speaks_the_conventions() -> None:
    request = spans_of(made_exchange())[1]
    assert dict(request.attributes or {}) == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "trigreason",
        "gen_ai.request.model": "small",
        "gen_ai.response.time_to_first_chunk": 0.05,
        "gen_ai.usage.input_tokens": 130,
        "gen_ai.usage.cache_read.input_tokens": 90,
        "gen_ai.usage.output_tokens": 60,
        "trigreason.run": 0,
        "trigreason.model": "srm",
        "trigreason.purpose": "write",
        "trigreason.unused_tokens": 3,
    }


def test_handovers_are_events() -> None:
    whole = spans_of(made_exchange())[-1]
    assert [(seconds(each.timestamp), dict(each.attributes or {})) for each in whole.events] == [
        (
            0.25,
            {
                "trigreason.run": 0,
                "trigreason.step": 0,
                "trigreason.writer": "lrm",
                "trigreason.trigger": "strategic_priming",
            },
        ),
        (1.25, {"trigreason.run": 0, "trigreason.step": 1, "trigreason.writer": "srm"}),
        (
            1.85,
            {
                "trigreason.run": 0,
                "trigreason.step": 3,
                "trigreason.writer": "lrm",
                "trigreason.trigger": "cognitive_offload",
                "trigreason.ratio": 0.9,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("outcome", "error", "kind", "status"),
    [
        (ExchangeOutcome.FINISHED, None, None, StatusCode.UNSET),
        (ExchangeOutcome.CANCELLED, None, None, StatusCode.UNSET),
        (ExchangeOutcome.REFUSED, "rate_limit_exceeded", None, StatusCode.UNSET),
        (ExchangeOutcome.FAILED, "EngineUnreachable", "EngineUnreachable", StatusCode.ERROR),
        (ExchangeOutcome.EXPIRED, None, "expired", StatusCode.ERROR),
    ],
)
def test_errors(
    outcome: ExchangeOutcome, error: str | None, kind: str | None, status: StatusCode
) -> None:
    (whole,) = spans_of(made_exchange(runs=[], outcome=outcome, error=error))
    assert (whole.attributes or {}).get("error.type") == kind
    assert whole.status.status_code is status


def test_a_failed_request_is_one_without_its_words() -> None:
    failed = spans_of(made_exchange())[2]
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description is None
    assert (failed.attributes or {})["error.type"] == "_OTHER"


def test_every_choice_is_in_it() -> None:
    runs = [
        ChoiceRun(0, made_trace(), 0.5, 2.0, "stop"),
        ChoiceRun(1, made_trace(), 0.4, None, None),
    ]
    *requests, whole = spans_of(made_exchange(runs=runs))
    told = whole.attributes or {}
    assert len(requests) == 8
    assert [(each.attributes or {})["trigreason.run"] for each in requests] == [0] * 4 + [1] * 4
    assert told["gen_ai.request.choice.count"] == 2
    assert told["gen_ai.response.finish_reasons"] == ("stop", "error")
    assert told["gen_ai.response.time_to_first_chunk"] == 0.4


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (f"00-{TRACE_ID}-{PARENT_ID}-01", PARENT_ID),
        (None, None),
        ("", None),
        ("00-nonsense", None),
        (f"00-{TRACE_ID}-{'0' * 16}-01", None),
    ],
)
def test_traceparent(header: str | None, parent: str | None) -> None:
    whole = spans_of(made_exchange(traceparent=header))[-1]
    assert whole.context is not None
    if parent is None:
        assert whole.parent is None
    else:
        assert whole.parent is not None
        assert f"{whole.parent.span_id:016x}" == parent
        assert f"{whole.context.trace_id:032x}" == TRACE_ID


def test_a_trace_that_the_caller_does_not_sample_is_not_sent() -> None:
    assert spans_of(made_exchange(traceparent=f"00-{TRACE_ID}-{PARENT_ID}-00")) == []


def test_no_text_is_in_any_span() -> None:
    told = "".join(each.to_json() for each in spans_of(made_exchange()))
    assert not [text for text in (PROMPT, ANSWER, THOUGHT) if text in told]


def tracing_to(url: str) -> Telemetry:
    return Telemetry(
        configured.TelemetrySettings(otlp_endpoint=url), Places(), breakers, lambda: (0, 0)
    )


async def test_a_collector_gets_the_spans_of_a_real_run(bundled_pair: Pair) -> None:
    with collector() as server:
        telemetry = tracing_to(f"{server.url}/")
        exchange = await real_exchange(bundled_pair, problems()[0].question, telemetry)
        telemetry.close()
    (trace,) = exchange.traces
    roots = [span for span in server.spans if not span.parent_span_id]
    assert (server.paths, server.services) == ({"/v1/traces"}, {"trigreason"})
    assert len(roots) == 1
    assert len(server.spans) == 1 + len(trace.stretches)
    assert len(roots[0].events) == len(trace.handovers)


@contextmanager
def silent_port() -> Iterator[str]:
    """A place that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def cost_of_telling(telemetry: Telemetry, times: int = 50) -> float:
    """Seconds for one exchange."""
    began = perf_counter()
    for _ in range(times):
        exchange = made_exchange()
        telemetry.begun(exchange)
        telemetry.ended(exchange)
    return (perf_counter() - began) / times


@pytest.mark.slow
def test_a_collector_that_is_gone_costs_requests_nothing() -> None:
    telemetry = tracing_to("http://127.0.0.1:9")
    assert cost_of_telling(telemetry) < 0.05
    began = perf_counter()
    telemetry.close()
    assert perf_counter() - began < FLUSH_SECONDS + 1


@pytest.mark.slow
def test_a_collector_that_says_nothing_costs_requests_nothing() -> None:
    with silent_port() as url:
        telemetry = tracing_to(url)
        assert cost_of_telling(telemetry, 500) < 0.05
        began = perf_counter()
        telemetry.close()
        assert perf_counter() - began < FLUSH_SECONDS + 1
