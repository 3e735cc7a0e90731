"""Who a key's text stands for, without asking the database for every request."""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from trigreason.gateway.keys import ActiveKey, id_of, is_key
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.errors import DatabaseAway
from trigreason.gateway.storage.keyring import Kept, find

KNOWN_SECONDS = 5.0
"""So long a key is taken to be as it was; a key that another process revoked works on as long."""

AWAY_SECONDS = 600.0
"""The same while the database is away."""


class _Known(NamedTuple):
    kept: Kept
    since: float


class KnownKeys:
    """Remembers the keys it has met. Texts that are no key's are not remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    async def authenticate(self, text: str) -> ActiveKey | None:
        """The key that is in force and has this text.

        Raises:
            DatabaseAway: nobody knows, because the database cannot be asked.
        """
        identity = id_of(text)
        if identity is None:
            return None
        kept = await self._kept(identity)
        return kept.key if kept and is_key(text, kept.digest) else None

    async def _kept(self, identity: str) -> Kept | None:
        known = self._known.get(identity)
        if known and monotonic() - known.since < KNOWN_SECONDS:
            return known.kept
        asked = monotonic()
        try:
            kept = await self._database.read(lambda connection: find(connection, identity))
        except DatabaseAway:
            if known and asked - known.since < AWAY_SECONDS:
                return known.kept
            raise
        if kept is None:
            self._known.pop(identity, None)
        else:
            self._known[identity] = _Known(kept, asked)
        return kept

    @property
    def is_any_certain(self) -> bool:
        """Whether a key is known that goes on without the database, because it has no limits."""
        now = monotonic()
        return any(
            each.kept.key.limits.is_unlimited and now - each.since < AWAY_SECONDS
            for each in self._known.values()
        )

    def forget(self) -> None:
        """Ask the database again about everybody."""
        self._known.clear()
