"""Prometheus metrics of exchanges.

Labels have few values: configured pairs and methods, models by their role (``srm``, ``lrm``,
``scorer``), never a client's text. Seconds and USD are floats, tokens whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from trigreason.events import HandedOver, WentOnAlone
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.gateway.telemetry.scraped import BacklogOf, BreakerOf, Queue, States
from trigreason.reasoning import Author, Trace, spent, spent_on_rewards

_WAITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
_DURATIONS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 900)
_TOKEN_TIMES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1)

SCORER = "scorer"
_PAIR = ("pair",)
_METHOD = ("pair", "method")
_MODEL = ("pair", "model")
_REQUEST = ("pair", "model", "purpose")


class Metrics:
    """The metrics of one process, in a separate registry."""

    def __init__(
        self, queue: Queue, breakers: Callable[[], Iterable[BreakerOf]], backlog: BacklogOf
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(States(queue, breakers, backlog))

        def counter(name: str, what: str, labels: Iterable[str]) -> Counter:
            return Counter(f"trigreason_{name}", what, labels, registry=self.registry)

        def histogram(
            name: str, what: str, labels: Iterable[str], buckets: tuple[float, ...] = _WAITS
        ) -> Histogram:
            full = f"trigreason_{name}"
            return Histogram(full, what, labels, registry=self.registry, buckets=buckets)

        self._open = Gauge(
            "trigreason_open_requests",
            "Requests that have begun and not ended, waiting ones included",
            registry=self.registry,
        )
        self._requests = counter(
            "requests", "Requests that ended", ("api", "pair", "method", "outcome")
        )
        self._refused = counter(
            "refused_requests", "Requests turned away before they reached a pair", ("reason",)
        )
        self._errors = counter(
            "request_errors", "Requests that ended with an error", ("pair", "error")
        )
        self._duration = histogram(
            "request_duration_seconds",
            "From a request's acceptance to its end, refused ones left out",
            ("api", "pair", "method"),
            _DURATIONS,
        )
        self._queue_wait = histogram(
            "queue_wait_seconds", "How long a request waited for its place", _PAIR
        )
        self._first_reasoning = histogram(
            "time_to_first_reasoning_seconds",
            "From a request's acceptance to its first text of thinking",
            _METHOD,
        )
        self._first_answer = histogram(
            "time_to_first_answer_seconds",
            "From a request's acceptance to its first text of the answer",
            _METHOD,
        )
        self._token_time = histogram(
            "time_per_output_token_seconds",
            "From a run's first text to its end, by the tokens that stand less one",
            _METHOD,
            _TOKEN_TIMES,
        )
        self._tokens = counter(
            "tokens", "Tokens that a model wrote, by what became of them", (*_MODEL, "fate")
        )
        self._handovers = counter(
            "handovers", "How often a trigger handed the pen to the LRM", ("pair", "trigger")
        )
        self._degraded = counter(
            "degraded_runs", "Runs in which this model stayed away and another went on", _MODEL
        )
        self._engine_requests = counter(
            "engine_requests", "Requests to a model", (*_REQUEST, "result")
        )
        self._engine_duration = histogram(
            "engine_request_duration_seconds", "From a request to a model to its end", _REQUEST
        )
        self._engine_first_token = histogram(
            "engine_time_to_first_token_seconds",
            "From a request to a model to its first token",
            _REQUEST,
        )
        self._cost = counter("cost_usd", "What a model cost, estimates included", _MODEL)
        self._cost_unknown = counter(
            "cost_unknown_requests", "Requests to models none of which has a price", _PAIR
        )
        self._cost_estimated = counter(
            "cost_estimated_requests",
            "Requests whose cost is an estimate in part, as a server did not tell its tokens",
            _PAIR,
        )

    def begun(self, exchange: Exchange) -> None:
        self._open.inc()

    def handed_over(self, exchange: Exchange, event: HandedOver | WentOnAlone) -> None:
        pair = exchange.choice.pair
        if isinstance(event, WentOnAlone):
            away = SCORER if event.has_both else event.author.other.value
            self._degraded.labels(pair, away).inc()
        elif event.trigger is not None:
            self._handovers.labels(pair, event.trigger.value).inc()

    def ended(self, exchange: Exchange) -> None:
        self._open.dec()
        pair, method = exchange.choice.pair, exchange.choice.method
        outcome = exchange.outcome or ExchangeOutcome.FAILED
        self._requests.labels(exchange.api.value, pair, method, outcome.value).inc()
        if exchange.error is not None:
            self._errors.labels(pair, exchange.error).inc()
        if outcome is not ExchangeOutcome.REFUSED:
            self._duration.labels(exchange.api.value, pair, method).observe(exchange.seconds)
            self._queue_wait.labels(pair).observe(exchange.queued_seconds)
        cost = exchange.spent
        if cost.usd is None:
            self._cost_unknown.labels(pair).inc()
        if cost.is_estimate:
            self._cost_estimated.labels(pair).inc()
        for run in exchange.runs:
            self._times_of(run, exchange)
        for trace in exchange.traces:
            for author in {stretch.author for stretch in trace.stretches}:
                self._use_of(author, trace, pair)
            self._scorer_of(trace, pair)
            self._engines_of(trace, pair)

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def page(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _times_of(self, run: ChoiceRun, exchange: Exchange) -> None:
        names = exchange.choice.pair, exchange.choice.method
        if run.first_reasoning_seconds is not None:
            self._first_reasoning.labels(*names).observe(run.first_reasoning_seconds)
        if run.first_answer_seconds is not None:
            self._first_answer.labels(*names).observe(run.first_answer_seconds)
        if (seconds := seconds_per_token(run, exchange)) is not None:
            self._token_time.labels(*names).observe(seconds)

    def _use_of(self, author: Author, trace: Trace, pair: str) -> None:
        use, model = trace.use(author), author.value
        fates = {
            "accepted": use.standing_tokens,
            "answer": use.answer_tokens,
            "draft": use.draft_tokens,
            "judge": use.judge_tokens,
            "unused": use.unused_tokens,
        }
        for fate, tokens in fates.items():
            if tokens:
                self._tokens.labels(pair, model, fate).inc(tokens)
        if (usd := spent(trace, [author]).usd) is not None:
            self._cost.labels(pair, model).inc(usd)

    def _scorer_of(self, trace: Trace, pair: str) -> None:
        for request in trace.scorer.requests if trace.scorer else ():
            errand = pair, SCORER, "reward"
            self._engine_requests.labels(*errand, "failed" if request.failed else "ok").inc()
            self._engine_duration.labels(*errand).observe(request.seconds)
        if usd := spent_on_rewards(trace).usd:
            self._cost.labels(pair, SCORER).inc(usd)

    def _engines_of(self, trace: Trace, pair: str) -> None:
        for stretch in trace.stretches:
            errand = pair, stretch.author.value, stretch.purpose.value
            self._engine_requests.labels(*errand, "failed" if stretch.failed else "ok").inc()
            self._engine_duration.labels(*errand).observe(stretch.seconds)
            if stretch.first_token_seconds is not None:
                self._engine_first_token.labels(*errand).observe(stretch.first_token_seconds)


def seconds_per_token(run: ChoiceRun, exchange: Exchange) -> float | None:
    """Seconds after the first text over the tokens after the first one, as model servers define it.

    None for a run of fewer than two tokens. A run begins when its exchange gets its place.
    """
    firsts = [run.first_reasoning_seconds, run.first_answer_seconds]
    seen = [seconds for seconds in firsts if seconds is not None]
    if run.trace is None or not seen:
        return None
    tokens = run.trace.thinking_tokens + run.trace.answer_tokens
    end = exchange.queued_seconds + run.trace.seconds
    return max(0.0, end - min(seen)) / (tokens - 1) if tokens > 1 else None
