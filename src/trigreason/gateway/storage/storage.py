"""The interface to keys, budgets and records. Nothing here blocks the event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from functools import partial
from time import time
from typing import Any, Self

from sqlalchemy import Connection, delete, select

from trigreason.gateway.keys import ActiveKey, KeyLimits, NewKey
from trigreason.gateway.storage import keyring
from trigreason.gateway.storage.budgets import Worst, admit
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.errors import DatabaseAway, StorageError
from trigreason.gateway.storage.journal import Journal, alone, opened_journals
from trigreason.gateway.storage.key_cache import KeyCache
from trigreason.gateway.storage.keyring import KeyRow
from trigreason.gateway.storage.listing import latest_traces
from trigreason.gateway.storage.migrating import migrate
from trigreason.gateway.storage.periods import DAY, Period
from trigreason.gateway.storage.place import located
from trigreason.gateway.storage.recorder import Backlog, Recorder
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.reservations import Reservations
from trigreason.gateway.storage.tables import RECORDS, RESERVATIONS, SECRET, TRACES, USAGE

LOG = logging.getLogger("trigreason.gateway")
NO_LIMITS = KeyLimits()
TRACE_SECONDS = 2.0
"""How long a request for a trace waits until the trace is in the database."""

PRUNE_SECONDS = 3600.0
_PRUNED_AT_ONCE = 500


class Storage:
    """The gateway's storage; all methods except ``enter`` raise DatabaseAway in an outage.

    ``secret`` signs what clients send back; gateways on the same database share it.
    """

    def __init__(
        self,
        database: Database,
        own: Journal,
        left: Sequence[Journal],
        traces_days: float,
        secret: bytes,
    ) -> None:
        self.secret = secret
        self._database = database
        self._keys = KeyCache(database)
        self._recorder = Recorder(database, own, left)
        self._reservations = Reservations(database)
        self._traces_days = traces_days
        self._pruning = asyncio.create_task(self._prune_now_and_then())

    @classmethod
    async def open(cls, place: str, *, traces_days: float) -> Self:
        """Open the database at a file's path or a SQLAlchemy URL; create or migrate it if needed.

        Takes over the records that a killed process left.

        Raises:
            StorageError: the database cannot be used, or is of a newer version.
        """
        location = located(place, os.environ)
        database = Database(location)

        def prepare() -> tuple[bytes, Journal, list[Journal]]:
            try:
                with alone(location.journals):
                    database.prepare()
                    migrate(database)
                    secret = database.transact(_secret, reads=True)
                    return secret, *opened_journals(location.journals)
            except BaseException:
                database.close_now()
                raise

        try:
            secret, own, left = await asyncio.to_thread(prepare)
        except OSError as error:
            what = f"{location.journals}: the journal's folder cannot be used ({error.strerror})"
            raise StorageError(f"{what}; check the path, or set XDG_STATE_HOME") from error
        return cls(database, own, left, traces_days, secret)

    async def close(self) -> None:
        """Write all records to the database; in an outage they wait for the next start."""
        await self._reservations.close()
        self._pruning.cancel()
        await asyncio.gather(self._pruning, return_exceptions=True)
        await self._recorder.close()
        await self._database.close()

    async def create_key(
        self, name: str, *, pairs: Sequence[str] | None = None, limits: KeyLimits = NO_LIMITS
    ) -> NewKey:
        """Create a key that may use these pairs, or all.

        Raises:
            NameTaken: an active key has this name.
            ValueError: the name is invalid.
        """
        return await self._database.write(
            lambda connection: keyring.create(connection, name, pairs, limits)
        )

    async def keys(self) -> list[KeyRow]:
        """All keys, including revoked ones, oldest first."""
        return await self._database.read(keyring.listed)

    async def revoke_key(self, id_or_name: str) -> bool:
        """Revoke a key, here at once and in other processes within CACHED_SECONDS.

        False if no active key has this id or name.
        """
        is_revoked = await self._database.write(
            lambda connection: keyring.revoke(connection, id_or_name)
        )
        self._keys.forget()
        return is_revoked

    async def has_keys(self) -> bool:
        """Whether there is an active key."""
        return await self._database.read(keyring.any_in_force)

    @property
    def knows_keys(self) -> bool:
        """Whether a cached key works during an outage."""
        return self._keys.is_any_certain

    @property
    def backlog(self) -> Backlog:
        """The records that are not in the database yet."""
        return self._recorder.backlog

    async def authenticate(self, text: str) -> ActiveKey | None:
        """The active key with this text. In an outage, cached keys work for AWAY_SECONDS."""
        return await self._keys.authenticate(text)

    async def admit(self, key: ActiveKey, exchange_id: str, worst: Worst) -> None:
        """Admit an exchange; one of a key without limits always is.

        Its reservation ends when its record is entered, however the exchange ended.

        Raises:
            OverLimit: a limit of the key is reached.
        """
        if not key.limits.is_unlimited:
            await self._database.write(
                lambda connection: admit(connection, key, exchange_id, worst)
            )
            self._reservations.hold(exchange_id)

    def enter(self, record: Record) -> None:
        """Store a record. Takes microseconds; call it from the event loop's thread."""
        self._recorder.enter(record)

    async def trace(self, trace_id: str, key_id: str | None) -> dict[str, Any] | None:
        """A stored trace of this key; with ``key_id`` None, of any key."""
        if not trace_id.isprintable():
            return None  # PostgreSQL rejects NUL, and no trace has one in its id
        query = select(TRACES.c.body).where(TRACES.c.id == trace_id)
        if key_id is not None:
            query = query.join(RECORDS).where(RECORDS.c.key == key_id)
        body = await self._database.read(lambda connection: connection.scalar(query))
        if body is None:
            await self._recorder.caught_up(TRACE_SECONDS)
            body = await self._database.read(lambda connection: connection.scalar(query))
        if body is None:
            return None
        trace: dict[str, Any] = await asyncio.to_thread(json.loads, body)
        return trace

    async def latest_traces(self, key_id: str | None, limit: int) -> list[dict[str, Any]]:
        """What was asked, and what ran, in the latest runs with a stored trace, newest first."""
        await self._recorder.caught_up(TRACE_SECONDS)
        return await self._database.read(
            lambda connection: latest_traces(connection, key_id, limit)
        )

    async def prune(self) -> None:
        """Delete old traces, counts of past minutes, and expired reservations."""
        now = time()
        await self._database.write(partial(_delete_spent, now=now))
        before = now - self._traces_days * DAY
        while await self._database.write(partial(_delete_traces, before=before)):
            pass

    async def _prune_now_and_then(self) -> None:
        while True:
            try:
                await self.prune()
            except DatabaseAway as error:
                LOG.debug("old traces are not deleted: %s", error)
            await asyncio.sleep(PRUNE_SECONDS)


def _secret(connection: Connection) -> bytes:
    return bytes.fromhex(connection.execute(select(SECRET.c.hex)).scalar_one())


def _delete_spent(connection: Connection, now: float) -> None:
    old = (USAGE.c.period == Period.MINUTE) & (USAGE.c.start < now - DAY)
    connection.execute(delete(USAGE).where(old))
    # kept for a day, because an expired reservation is renewed after an outage
    connection.execute(delete(RESERVATIONS).where(RESERVATIONS.c.expires <= now - DAY))


def _delete_traces(connection: Connection, before: float) -> bool:
    """Delete a few traces, so that other writers need not wait long. False if none is left."""
    old = select(TRACES.c.id).where(TRACES.c.created < before).limit(_PRUNED_AT_ONCE)
    return connection.execute(delete(TRACES).where(TRACES.c.id.in_(old))).rowcount > 0
