"""Telemetry for the operator: Prometheus metrics, OpenTelemetry spans, and a log."""

from trigreason.gateway.telemetry.logs import configure_logging
from trigreason.gateway.telemetry.scraped import BreakerOf, Queue
from trigreason.gateway.telemetry.telemetry import Telemetry

__all__ = ["BreakerOf", "Queue", "Telemetry", "configure_logging"]
