"""The interface through which the gateway reports an exchange's begin, handovers and end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from traceback import extract_tb

from trigreason.configuration import gateway as configured
from trigreason.events import HandedOver, WentOnAlone
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.telemetry import logs
from trigreason.gateway.telemetry.metrics import Metrics
from trigreason.gateway.telemetry.scraped import BacklogOf, BreakerOf, Queue
from trigreason.gateway.telemetry.spans import Spans, over_http

_logger = logging.getLogger("trigreason.gateway")


class Telemetry:
    """Metrics, spans and the log of one gateway process.

    Nothing here raises, waits for the network, or keeps an exchange beyond its end. Handovers and
    outages are counted as they happen, so that a dashboard shows them during a long run;
    :meth:`ended` derives everything else from the exchange and its runs' traces.
    """

    def __init__(
        self,
        settings: configured.TelemetrySettings,
        queue: Queue,
        breakers: Callable[[], Iterable[BreakerOf]],
        backlog: BacklogOf,
    ) -> None:
        self._metrics = Metrics(queue, breakers, backlog)
        self._log_texts = settings.log_texts
        self._refusals = logs.Refusals()
        endpoint = settings.otlp_endpoint
        self._spans = Spans(over_http(endpoint)) if endpoint is not None else None

    def begun(self, exchange: Exchange) -> None:
        """Report that a request became an exchange; it may still wait for a place."""
        with _harmless():
            self._metrics.begun(exchange)

    def handed_over(
        self, exchange: Exchange, run: ChoiceRun, event: HandedOver | WentOnAlone
    ) -> None:
        """Report that the other model writes from now on."""
        with _harmless():
            self._metrics.handed_over(exchange, event)

    def ended(self, exchange: Exchange) -> None:
        """Report that an exchange is over; called exactly once per exchange."""
        with _harmless():
            self._metrics.ended(exchange)
        if self._spans is not None:
            with _harmless():
                self._spans.ended(exchange)
        with _harmless():
            logs.ended(exchange, with_texts=self._log_texts)

    def refused(self, reason: str, source: str, key: str | None, request_id: str = "") -> None:
        """Report that a request was refused before it became an exchange.

        ``reason`` is one of a few fixed words, such as ``invalid_request``, because it is a label.
        ``key`` is the id in the key that was sent, valid or not.
        """
        with _harmless():
            self._metrics.refused(reason)
            self._refusals.log(reason, source, key, request_id)

    def metrics_page(self) -> tuple[bytes, str]:
        """The metrics in Prometheus's format, and the content type."""
        return self._metrics.page()

    def close(self) -> None:
        """Send the remaining spans; blocks for ``spans.FLUSH_SECONDS`` at most."""
        if self._spans is not None:
            self._spans.close()


@contextmanager
def _harmless() -> Iterator[None]:
    """Keep a fault in telemetry from failing a request; log its class and line only."""
    try:
        yield
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        _logger.error("telemetry failed: %s at %s:%s", kind, place.filename, place.lineno)
