"""Metrics: what an exchange adds to them, and that nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gateway.telemetry.exchanges import (
    LRM,
    SRM,
    Places,
    breakers,
    degraded_exchange,
    made_exchange,
    made_trace,
    real_exchange,
)
from trigreason.bundled import problems
from trigreason.configuration import gateway as configured
from trigreason.events import HandedOver, WentOnAlone
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.gateway.telemetry import Telemetry
from trigreason.gateway.telemetry.metrics import seconds_per_token
from trigreason.pairs import Pair
from trigreason.reasoning import Author, RewardRequest, ScorerLog, Trigger

QWEN = {"pair": "qwen"}
METHOD = QWEN | {"method": "trigreason"}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(configured.TelemetrySettings(), Places(), breakers, lambda: (0, 0))


class Page:
    """A page of metrics, read back."""

    def __init__(self, telemetry: Telemetry) -> None:
        body, self.content_type = telemetry.metrics_page()
        self.families = list(text_string_to_metric_families(body.decode()))
        self.samples = [each for family in self.families for each in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        found = [
            each.value
            for each in self.samples
            if each.name == f"trigreason_{name}" and labels.items() <= each.labels.items()
        ]
        return sum(found) if found else None


def tell(telemetry: Telemetry, exchanges: Iterable[Exchange]) -> Page:
    for exchange in exchanges:
        telemetry.begun(exchange)
        telemetry.ended(exchange)
    return Page(telemetry)


def test_an_exchange_counts_once(telemetry: Telemetry) -> None:
    page = tell(telemetry, [made_exchange()])
    labels = METHOD | {"api": "chat"}
    assert page.content_type.startswith("text/plain")
    assert page.value("requests_total", outcome="finished", **labels) == 1
    assert page.value("request_duration_seconds_sum", **labels) == 3.0
    assert page.value("queue_wait_seconds_sum", **QWEN) == 0.25
    assert page.value("time_to_first_reasoning_seconds_sum", **METHOD) == 0.5
    assert page.value("time_to_first_answer_seconds_sum", **METHOD) == 2.0
    assert page.value("time_per_output_token_seconds_sum", **METHOD) == pytest.approx(2.5 / 108)
    assert page.value("open_requests") == 0
    assert page.value("request_errors_total") is None


def test_tokens_by_fate(telemetry: Telemetry) -> None:
    page = tell(telemetry, [made_exchange()] * 2)
    tokens = {
        (author, fate): page.value("tokens_total", model=author, fate=fate, **QWEN)
        for author in ("srm", "lrm")
        for fate in ("accepted", "answer", "draft", "judge", "unused")
    }
    assert {key: count for key, count in tokens.items() if count} == {
        ("srm", "accepted"): 100,
        ("srm", "draft"): 14,
        ("srm", "unused"): 6,
        ("lrm", "accepted"): 100,
        ("lrm", "answer"): 18,
    }


def test_requests_to_models(telemetry: Telemetry) -> None:
    page = tell(telemetry, [made_exchange()])
    lrm = QWEN | {"model": "lrm", "purpose": "write"}
    assert page.value("engine_requests_total", result="ok", **lrm) == 2
    assert page.value("engine_requests_total", result="failed", **lrm) == 1
    assert page.value("engine_request_duration_seconds_sum", **lrm) == pytest.approx(2.1)
    assert page.value("engine_time_to_first_token_seconds_count", **lrm) == 2


def test_cost_is_known_estimated_or_counted_as_unknown(telemetry: Telemetry) -> None:
    unpriced = made_exchange(runs=[ChoiceRun(0, made_trace(prices={}))])
    page = tell(telemetry, [made_exchange(), unpriced])
    assert page.value("cost_estimated_requests_total", **QWEN) is None
    srm = (40 * 1.0 + 90 * 1.0 + 60 * 2.0) / 1e6
    lrm = (280 * 10.0 + 59 * 20.0) / 1e6
    assert page.value("cost_usd_total", model="srm") == pytest.approx(srm)
    assert page.value("cost_usd_total", model="lrm") == pytest.approx(lrm)
    assert page.value("cost_unknown_requests_total", **QWEN) == 1
    trace = made_trace()
    untold = [replace(each, prompt_tokens=None) for each in trace.stretches]
    estimated = made_exchange(runs=[ChoiceRun(0, replace(trace, stretches=untold))])
    page = tell(telemetry, [estimated])
    assert page.value("cost_estimated_requests_total", **QWEN) == 1
    assert (page.value("cost_usd_total", model="lrm") or 0.0) > lrm + 0.001


def test_a_scorer_has_requests_and_a_cost(telemetry: Telemetry) -> None:
    requests = [RewardRequest(0, 500, seconds=0.2), RewardRequest(1, failed="away")]
    trace = replace(made_trace(), scorer=ScorerLog("prm", 4.0, requests))
    page = tell(telemetry, [made_exchange(runs=[ChoiceRun(0, trace)])])
    scorer = {"model": "scorer", "purpose": "reward"}
    assert page.value("engine_requests_total", result="ok", **scorer) == 1
    assert page.value("engine_requests_total", result="failed", **scorer) == 1
    assert page.value("engine_request_duration_seconds_sum", **scorer) == pytest.approx(0.2)
    assert page.value("cost_usd_total", model="scorer") == pytest.approx(0.002)


def test_handovers_and_degradation_count_as_they_happen(telemetry: Telemetry) -> None:
    exchange = degraded_exchange()
    run = exchange.runs[0]
    telemetry.begun(exchange)
    telemetry.handed_over(exchange, run, HandedOver(LRM, Trigger.COGNITIVE_OFFLOAD, 1, None))
    telemetry.handed_over(exchange, run, HandedOver(SRM, None, None, None))
    telemetry.handed_over(exchange, run, WentOnAlone(SRM, "it is away"))
    page = Page(telemetry)
    assert page.value("handovers_total") == 1
    assert page.value("handovers_total", trigger="cognitive_offload", **QWEN) == 1
    assert page.value("degraded_runs_total", model="lrm", **QWEN) == 1
    telemetry.handed_over(exchange, run, WentOnAlone(LRM, "it is away", has_both=True))
    assert Page(telemetry).value("degraded_runs_total", model="scorer", **QWEN) == 1
    assert Page(telemetry).value("degraded_runs_total", model="srm", **QWEN) is None
    assert page.value("open_requests") == 1


def test_states_are_those_of_the_moment() -> None:
    places = Places()
    telemetry = Telemetry(configured.TelemetrySettings(), places, breakers, lambda: (700, 3))
    page = Page(telemetry)
    assert page.value("journal_backlog_bytes") == 700
    assert page.value("unwritten_records") == 3
    assert (page.value("running_runs"), page.value("waiting_runs")) == (3, 5)
    assert page.value("breaker_state", model="srm", **QWEN) == 0
    assert page.value("breaker_state", model="lrm", **QWEN) == 2
    places.running = 0
    assert Page(telemetry).value("running_runs") == 0


def test_requests_that_came_to_nothing(telemetry: Telemetry) -> None:
    telemetry.refused("invalid_request", "10.0.0.9", "0123456789")
    refused = made_exchange(runs=[], outcome=ExchangeOutcome.REFUSED, error="rate_limit_exceeded")
    failed = made_exchange(
        runs=[ChoiceRun()], outcome=ExchangeOutcome.FAILED, error="EngineUnreachable"
    )
    page = tell(telemetry, [refused, failed])
    assert page.value("refused_requests_total", reason="invalid_request") == 1
    assert page.value("requests_total", outcome="refused") == 1
    assert page.value("requests_total", outcome="failed") == 1
    assert page.value("request_errors_total", error="EngineUnreachable", **QWEN) == 1
    assert page.value("request_duration_seconds_count") == 1
    assert page.value("tokens_total") is None


@pytest.mark.parametrize(
    ("run", "seconds"),
    [
        (ChoiceRun(), None),
        (ChoiceRun(trace=made_trace()), None),  # no text came
        (ChoiceRun(0, made_trace(steps=[], answer_by={SRM: 1}), None, 0.5), None),  # one token
        (ChoiceRun(0, made_trace(steps=[], answer_by={SRM: 2}), None, 0.5), 2.5),
        (ChoiceRun(0, made_trace(steps=[], answer_by={SRM: 2}), None, 9.0), 0.0),  # clocks differ
    ],
)
def test_seconds_per_token(run: ChoiceRun, seconds: float | None) -> None:
    assert seconds_per_token(run, made_exchange()) == seconds


def test_what_a_client_writes_is_no_label(telemetry: Telemetry) -> None:
    page = tell(telemetry, [made_exchange(model=f"qwen:rho=0.{n}", id=f"r{n}") for n in range(50)])
    assert page.value("requests_total", **METHOD) == 50
    assert len([each for each in page.samples if each.name == "trigreason_requests_total"]) == 1


def test_names_follow_prometheus(telemetry: Telemetry) -> None:
    page = tell(telemetry, [made_exchange()])
    own = [each for each in page.families if each.name.startswith("trigreason_")]
    others = {each.name.split("_")[0] for each in page.families if each not in own}
    assert len(own) > 20
    assert others <= {"process"}
    for family in own:
        assert family.documentation
        assert re.fullmatch(r"[a-z_]+", family.name)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


async def test_a_real_run_agrees_with_its_trace(telemetry: Telemetry, bundled_pair: Pair) -> None:
    question = problems()[0].question
    exchange = await real_exchange(bundled_pair, question, telemetry)
    (trace,) = exchange.traces
    page = Page(telemetry)
    assert trace.handovers_by_trigger
    for trigger, count in trace.handovers_by_trigger.items():
        assert page.value("handovers_total", trigger=trigger) == count
    for author in Author:
        written = page.value("tokens_total", model=author.value)
        assert written == trace.use(author).completion_tokens
        sent = page.value("engine_requests_total", model=author.value)
        assert sent == trace.use(author).requests
