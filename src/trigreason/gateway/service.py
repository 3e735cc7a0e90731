"""What every request to a gateway needs: pairs, admission, storage and telemetry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from trigreason.configuration.gateway import GatewaySettings
from trigreason.gateway.admission import Admission
from trigreason.gateway.catalogue import Catalogue
from trigreason.gateway.exchange import Exchange, ExchangeOutcome
from trigreason.gateway.passed import PassedEngines
from trigreason.gateway.request_bodies import Bodies
from trigreason.gateway.responses.recent_items import RecentItems
from trigreason.gateway.storage import Record, Storage
from trigreason.gateway.telemetry import Telemetry


@dataclass(slots=True)
class Service:
    """One gateway process.

    ``is_local``: it listens on loopback alone. ``is_stopping``: the time for running requests to
    finish is over.
    """

    settings: GatewaySettings
    catalogue: Catalogue
    admission: Admission
    bodies: Bodies
    storage: Storage
    telemetry: Telemetry
    is_local: bool
    passed: PassedEngines
    recent_items: RecentItems = field(default_factory=RecentItems)
    is_stopping: bool = False
    live: set[asyncio.Task[None]] = field(default_factory=set)
    """The tasks of the exchanges that are running."""

    def give_up(self) -> None:
        """Cancel every running exchange; its client gets the reason."""
        self.is_stopping = True
        for task in self.live:
            task.cancel()

    def begin(self, exchange: Exchange) -> None:
        self.telemetry.begun(exchange)

    def finish(
        self, exchange: Exchange, outcome: ExchangeOutcome, error: str | None = None
    ) -> None:
        """Record an exchange. Calls after the first one do nothing.

        An exchange that was refused before a reservation and before a run has no record.
        """
        if exchange.outcome is not None:
            return
        exchange.outcome, exchange.error = outcome, error
        exchange.seconds = perf_counter() - exchange.began
        if exchange.admitted or exchange.traces or exchange.passed:
            self.storage.enter(Record.of(exchange, keep_traces=self.settings.traces.keep))
        self.telemetry.ended(exchange)
