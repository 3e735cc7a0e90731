"""Gauges that are read at the time of a scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trigreason.engines.breaker import Breaker, BreakerState
from trigreason.reasoning import Author

_LEVEL = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 1.0, BreakerState.OPEN: 2.0}


class Queue(Protocol):
    """The numbers of runs that have a place and of runs that wait for one."""

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...


BreakerOf = tuple[str, Author, Breaker]
"""A served pair's name, one of its models, and the model's circuit breaker."""


BacklogOf = Callable[[], tuple[int, int]]
"""Returns the bytes of records in journals, and the number of records in memory alone."""


class States(Collector):
    """The queue, the breakers and the backlog, as they are at the time of a scrape."""

    def __init__(
        self, queue: Queue, breakers: Callable[[], Iterable[BreakerOf]], backlog: BacklogOf
    ) -> None:
        self._queue = queue
        self._breakers = breakers
        self._backlog = backlog

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "trigreason_running_runs", "Runs that have a place", value=self._queue.running
        )
        yield GaugeMetricFamily(
            "trigreason_waiting_runs", "Runs that wait for a place", value=self._queue.waiting
        )
        waiting, unwritten = self._backlog()
        yield GaugeMetricFamily(
            "trigreason_journal_backlog_bytes",
            "Records in the journals that are not in the database",
            value=waiting,
        )
        yield GaugeMetricFamily(
            "trigreason_unwritten_records",
            "Records that are in memory alone, because the journal takes no more",
            value=unwritten,
        )
        states = GaugeMetricFamily(
            "trigreason_breaker_state",
            "Circuit breaker before a model: 0 closed, 1 half open, 2 open",
            labels=("pair", "model"),
        )
        for pair, author, breaker in self._breakers():
            states.add_metric((pair, author.value), _LEVEL[breaker.state])
        yield states
