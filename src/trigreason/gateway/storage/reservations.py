"""Renews the reservations of this process's exchanges until their records replace them.

The reservations of a killed process so expire within ``RESERVED_SECONDS``.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from trigreason.gateway.storage.budgets import renew
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.errors import DatabaseAway

LOG = logging.getLogger("trigreason.gateway")

RENEWED_SECONDS = 15.0
"""The time between renewals: two may fail before a reservation expires."""


class Reservations:
    """Renews the reservations of the exchanges that were passed to :meth:`hold`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exchanges: set[str] = set()
        self._renewing = asyncio.create_task(self._renew_now_and_then())

    def hold(self, exchange: str) -> None:
        """Renew this exchange's reservation from now on."""
        self._exchanges.add(exchange)

    async def renew(self) -> None:
        """Renew the reservations, and forget those that no longer exist. Raises DatabaseAway."""
        held = frozenset(self._exchanges)
        if held:
            renewed = await self._database.write(partial(renew, exchanges=held))
            self._exchanges -= held - renewed

    async def close(self) -> None:
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_SECONDS)
            try:
                await self.renew()
            except DatabaseAway as error:
                LOG.debug("reservations are not renewed: %s", error)
