"""The whole of it: nothing grows, nothing raises, and it costs little."""

from __future__ import annotations

import gc
import logging
from collections import Counter

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.gateway.telemetry.exchanges import (
    LRM,
    PROMPT,
    Places,
    breakers,
    made_exchange,
    made_trace,
)
from trigreason.configuration import gateway as configured
from trigreason.events import HandedOver
from trigreason.gateway.exchange import ChoiceRun
from trigreason.gateway.telemetry import Telemetry
from trigreason.gateway.telemetry.spans import Spans
from trigreason.reasoning import Trigger


def tell(telemetry: Telemetry, times: int) -> None:
    handover = HandedOver(LRM, Trigger.COGNITIVE_OFFLOAD, 1, None)
    for number in range(times):
        exchange = made_exchange(id=f"req-{number}", model=f"qwen:rho=0.{number}")
        telemetry.begun(exchange)
        telemetry.handed_over(exchange, exchange.runs[0], handover)
        telemetry.ended(exchange)


def objects() -> Counter[type]:
    gc.collect()
    return Counter(type(each) for each in gc.get_objects())


@pytest.mark.slow
def test_nothing_is_kept_of_what_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(configured.TelemetrySettings(), Places(), breakers, lambda: (0, 0))
    monkeypatch.setattr(telemetry, "_spans", Spans(SimpleSpanProcessor(exporter)))
    tell(telemetry, 20)
    exporter.clear()
    size = len(telemetry.metrics_page()[0])
    grown = []
    for _ in range(3):  # what other tests left behind may end or grow meanwhile, but not each time
        before = objects()
        for _ in range(10):
            tell(telemetry, 100)
            exporter.clear()
        more = objects() - before
        # a thousand exchanges; the interpreter's own caches grow by a few dozen objects, once
        grown.append({kind: count for kind, count in more.items() if count > 100})
    assert {} in grown
    assert len(telemetry.metrics_page()[0]) < size + 500


def test_a_fault_of_its_own_is_logged_without_texts_and_goes_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = Telemetry(configured.TelemetrySettings(), Places(), breakers, lambda: (0, 0))
    damaged = made_trace(stretches=[PROMPT])
    with caplog.at_level(logging.INFO, "trigreason.gateway"):
        telemetry.ended(made_exchange(runs=[ChoiceRun(0, damaged)]))
    assert "telemetry failed: AttributeError at " in caplog.text
    assert PROMPT not in caplog.text


def test_without_a_collector_closing_is_nothing() -> None:
    Telemetry(configured.TelemetrySettings(), Places(), breakers, lambda: (0, 0)).close()
