"""What every request to a gateway needs: its pairs, places, books and instruments."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from trigreason.configuration.gateway import GatewaySettings
from trigreason.gateway.admission import Admission
from trigreason.gateway.bodies import Bodies
from trigreason.gateway.catalogue import Catalogue
from trigreason.gateway.exchange import Exchange, ExchangeOutcome
from trigreason.gateway.storage import Record, Storage
from trigreason.gateway.telemetry import Telemetry


@dataclass(slots=True)
class Service:
    """One gateway process.

    ``is_local`` says that it listens on loopback alone, ``is_stopping`` that whoever still runs is
    out of time.
    """

    settings: GatewaySettings
    catalogue: Catalogue
    admission: Admission
    bodies: Bodies
    storage: Storage
    telemetry: Telemetry
    is_local: bool
    is_stopping: bool = False
    live: set[asyncio.Task[None]] = field(default_factory=set)
    """The exchanges under way."""

    def give_up(self) -> None:
        """End every exchange under way; its client is told why."""
        self.is_stopping = True
        for task in self.live:
            task.cancel()

    def begin(self, exchange: Exchange) -> None:
        self.telemetry.begun(exchange)

    def finish(
        self, exchange: Exchange, outcome: ExchangeOutcome, error: str | None = None
    ) -> None:
        """Enter an exchange into the books. It counts once, whatever else becomes of it.

        One that was turned away before anything was held back for it, or asked, has no record.
        """
        if exchange.outcome is not None:
            return
        exchange.outcome, exchange.error = outcome, error
        exchange.seconds = perf_counter() - exchange.began
        if exchange.admitted or exchange.traces:
            self.storage.enter(Record.of(exchange, keep_traces=self.settings.traces.keep))
        self.telemetry.ended(exchange)
