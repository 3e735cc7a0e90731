"""A cache of keys, so that not every request needs the database."""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from trigreason.gateway.keys import ActiveKey, id_of, is_key
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.errors import DatabaseAway
from trigreason.gateway.storage.keyring import StoredKey, find

CACHED_SECONDS = 5.0
"""How long a key is cached, and so how long one that another process revoked still works."""

AWAY_SECONDS = 600.0
"""How long a cached key is used during an outage of the database."""


class _CachedKey(NamedTuple):
    stored: StoredKey
    since: float


class KeyCache:
    """Authenticates keys, and caches those that exist. Unknown keys are not cached."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: dict[str, _CachedKey] = {}

    async def authenticate(self, text: str) -> ActiveKey | None:
        """The active key with this text; None if there is none.

        Raises:
            DatabaseAway: the key is not cached, and the database does not answer.
        """
        identity = id_of(text)
        if identity is None:
            return None
        stored = await self._stored(identity)
        return stored.key if stored and is_key(text, stored.digest) else None

    async def _stored(self, identity: str) -> StoredKey | None:
        cached = self._cached.get(identity)
        if cached and monotonic() - cached.since < CACHED_SECONDS:
            return cached.stored
        now = monotonic()
        try:
            stored = await self._database.read(lambda connection: find(connection, identity))
        except DatabaseAway:
            if cached and now - cached.since < AWAY_SECONDS:
                return cached.stored
            raise
        if stored is None:
            self._cached.pop(identity, None)
        else:
            self._cached[identity] = _CachedKey(stored, now)
        return stored

    @property
    def is_any_certain(self) -> bool:
        """Whether a cached key works during an outage, because it has no limits."""
        now = monotonic()
        return any(
            cached.stored.key.limits.is_unlimited and now - cached.since < AWAY_SECONDS
            for cached in self._cached.values()
        )

    def forget(self) -> None:
        """Empty the cache."""
        self._cached.clear()
