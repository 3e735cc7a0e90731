"""Metrics that are states rather than events: looked up when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trigreason.engines.breaker import Breaker, BreakerState
from trigreason.reasoning import Author

_LEVEL = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 1.0, BreakerState.OPEN: 2.0}


class Queue(Protocol):
    """Runs that have a place, and those that wait for one."""

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...


BreakerOf = tuple[str, Author, Breaker]
"""A pair that is served, one of its models, and the breaker before that."""


class States(Collector):
    """The queue and the breakers, as they are at the time of a scrape."""

    def __init__(self, queue: Queue, breakers: Callable[[], Iterable[BreakerOf]]) -> None:
        self._queue = queue
        self._breakers = breakers

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "trigreason_running_runs", "Runs that have a place", value=self._queue.running
        )
        yield GaugeMetricFamily(
            "trigreason_waiting_runs", "Runs that wait for a place", value=self._queue.waiting
        )
        states = GaugeMetricFamily(
            "trigreason_breaker_state",
            "Circuit breaker before a model: 0 closed, 1 half open, 2 open",
            labels=("pair", "model"),
        )
        for pair, author, breaker in self._breakers():
            states.add_metric((pair, author.value), _LEVEL[breaker.state])
        yield states
