"""OpenTelemetry spans by the semantic conventions for generative AI, without any texts.

An exchange is a ``chat`` server span, each request to a model a ``text_completion`` client span
below it, and a handover an event of the exchange's span. The conventions are experimental, so
their names are written out here rather than taken from the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from trigreason import __version__
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.reasoning import Author, Stretch, Trace

FLUSH_SECONDS = 3.0
"""The time limit for sending a batch to the collector, and for the last one at shutdown."""

QUEUE_SPANS = 8192
"""The most spans that wait for the collector; beyond that the oldest are dropped."""

PROVIDER = "trigreason"

Value = str | bool | int | float | list[str]


def over_http(endpoint: str) -> SpanProcessor:
    """A processor that sends spans in batches, from a thread, to a collector's base URL."""
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=FLUSH_SECONDS)
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS)


class Spans:
    """Makes an exchange's spans when it is over, so that nothing is stored while it runs."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": PROVIDER, "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("trigreason.gateway", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def ended(self, exchange: Exchange) -> None:
        carrier = {"traceparent": exchange.traceparent} if exchange.traceparent else {}
        span = self._tracer.start_span(
            f"chat {exchange.choice.pair}",
            context=self._propagator.extract(carrier, context=Context()),
            kind=SpanKind.SERVER,
            attributes=_without_none(_of_exchange(exchange)),
            start_time=_instant(exchange, 0.0),
        )
        if exchange.outcome in (ExchangeOutcome.FAILED, ExchangeOutcome.EXPIRED):
            span.set_status(Status(StatusCode.ERROR))
        if span.is_recording():
            for run in exchange.runs:
                if run.trace is not None:
                    self._run(span, exchange, run, run.trace)
        span.end(_instant(exchange, exchange.seconds))

    def close(self) -> None:
        # the SDK's shutdown may wait for half a minute if the collector does not answer
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)

    def _run(self, span: Span, exchange: Exchange, run: ChoiceRun, trace: Trace) -> None:
        """Add a run's requests as spans, its handovers as events; it began when it got a place."""
        context = set_span_in_context(span, Context())
        for stretch in trace.stretches:
            began = exchange.queued_seconds + stretch.began_seconds
            child = self._tracer.start_span(
                f"text_completion {trace.models.get(stretch.author, stretch.author)}",
                context=context,
                kind=SpanKind.CLIENT,
                attributes=_without_none(_of_stretch(stretch, trace, run)),
                start_time=_instant(exchange, began),
            )
            if stretch.failed is not None:
                child.set_status(Status(StatusCode.ERROR))
            child.end(_instant(exchange, began + stretch.seconds))
        for began, attributes in _handovers(trace, run):
            at = _instant(exchange, exchange.queued_seconds + began)
            span.add_event("trigreason.handover", _without_none(attributes), at)


def _of_exchange(exchange: Exchange) -> dict[str, Value | None]:
    traces = exchange.traces
    sampling = traces[0].sampling if traces else {}
    firsts = [(run.first_reasoning_seconds, run.first_answer_seconds) for run in exchange.runs]
    texts = (seconds for both in firsts for seconds in both if seconds is not None)
    first = min(texts, default=None)
    choices, cost = len(exchange.runs), exchange.spent
    failed = exchange.outcome in (ExchangeOutcome.FAILED, ExchangeOutcome.EXPIRED)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": exchange.model,
        "gen_ai.request.stream": exchange.streamed,
        "gen_ai.request.choice.count": choices if choices != 1 else None,
        "gen_ai.request.temperature": sampling.get("temperature"),
        "gen_ai.request.top_p": sampling.get("top_p"),
        "gen_ai.request.seed": sampling.get("seed"),
        "gen_ai.response.id": exchange.id,
        "gen_ai.response.model": exchange.choice.pair,
        "gen_ai.response.finish_reasons": [run.finish_reason or "error" for run in exchange.runs],
        "gen_ai.response.time_to_first_chunk": first,
        "gen_ai.usage.input_tokens": exchange.prompt.tokens,
        "gen_ai.usage.cache_read.input_tokens": exchange.cached_tokens,
        "gen_ai.usage.output_tokens": exchange.reasoning_tokens + exchange.answer_tokens,
        "gen_ai.usage.reasoning.output_tokens": exchange.reasoning_tokens,
        "error.type": (exchange.error or exchange.outcome) if failed else None,
        "trigreason.api": exchange.api.value,
        "trigreason.method": exchange.choice.method,
        "trigreason.outcome": exchange.outcome,
        "trigreason.key": exchange.key.id if exchange.key else None,
        "trigreason.queued_seconds": exchange.queued_seconds,
        "trigreason.draft_tokens": exchange.draft_tokens,
        "trigreason.lrm_requests": exchange.requests(Author.LRM),
        "trigreason.degraded": exchange.degraded,
        "trigreason.prompt_is_estimate": exchange.prompt.is_estimate,
        "trigreason.usd": cost.usd,
        "trigreason.usd_is_estimate": cost.is_estimate,
    }


def _of_stretch(stretch: Stretch, trace: Trace, run: ChoiceRun) -> dict[str, Value | None]:
    return {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": trace.models.get(stretch.author),
        "gen_ai.response.time_to_first_chunk": stretch.first_token_seconds,
        "gen_ai.usage.input_tokens": stretch.prompt_tokens,
        "gen_ai.usage.cache_read.input_tokens": stretch.cached_tokens,
        "gen_ai.usage.output_tokens": stretch.completion_tokens,
        # a failure is stored as a message only, and a server's message may quote the prompt
        "error.type": "_OTHER" if stretch.failed is not None else None,
        "trigreason.run": run.index,
        "trigreason.model": stretch.author.value,
        "trigreason.purpose": stretch.purpose.value,
        "trigreason.trigger": stretch.trigger,
        "trigreason.unused_tokens": stretch.unused_tokens,
    }


def _handovers(trace: Trace, run: ChoiceRun) -> Iterator[tuple[float, dict[str, Value | None]]]:
    """When each new author's request began (seconds of the run), and why it did."""
    for handover in trace.handovers:
        step = trace.steps[handover.step]
        before = trace.steps[handover.step - 1] if handover.step else None
        yield (
            trace.stretches[step.stretch].began_seconds,
            {
                "trigreason.run": run.index,
                "trigreason.step": handover.step,
                "trigreason.writer": handover.writer.value,
                "trigreason.trigger": handover.trigger,
                "trigreason.ratio": before.ratio if before and handover.trigger else None,
            },
        )


def _without_none(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}


def _instant(exchange: Exchange, seconds: float) -> int:
    """A moment of an exchange, in nanoseconds since 1970."""
    return int((exchange.created + seconds) * 1e9)
