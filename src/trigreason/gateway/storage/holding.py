"""Reservations of this process's exchanges, renewed until their records have taken their place.

Those of a process that was killed lapse so within ``RESERVED_SECONDS``.
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
"""Between renewals: two may fail before a reservation lapses."""


class Holding:
    """Knows which exchanges hold something back; told of each with :meth:`hold`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exchanges: set[str] = set()
        self._renewing = asyncio.create_task(self._renew_now_and_then())

    def hold(self, exchange: str) -> None:
        """An exchange has reserved something."""
        self._exchanges.add(exchange)

    async def renew(self) -> None:
        """Renew what is there, and forget what a record has ended. Raises DatabaseAway."""
        held = frozenset(self._exchanges)
        if held:
            there = await self._database.write(partial(renew, exchanges=held))
            self._exchanges -= held - there

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
