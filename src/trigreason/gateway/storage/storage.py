"""Keys, budgets and records behind one door. Nothing here blocks the event loop."""

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
from trigreason.gateway.storage.holding import Holding
from trigreason.gateway.storage.journal import Journal, alone, opened_journals
from trigreason.gateway.storage.keyring import KeyRow
from trigreason.gateway.storage.known import KnownKeys
from trigreason.gateway.storage.migrating import migrate
from trigreason.gateway.storage.periods import DAY, Period
from trigreason.gateway.storage.place import located
from trigreason.gateway.storage.recorder import Backlog, Recorder
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.tables import RECORDS, RESERVATIONS, TRACES, USAGE

LOG = logging.getLogger("trigreason.gateway")
NO_LIMITS = KeyLimits()
TRACE_SECONDS = 2.0
"""How long one who asks for a trace may wait until it is in the database."""

PRUNE_SECONDS = 3600.0
_PRUNED_AT_ONCE = 500


class Storage:
    """Opened with :meth:`open`; every method but ``enter`` raises DatabaseAway in an outage."""

    def __init__(
        self, database: Database, own: Journal, left: Sequence[Journal], traces_days: float
    ) -> None:
        self._database = database
        self._keys = KnownKeys(database)
        self._recorder = Recorder(database, own, left)
        self._holding = Holding(database)
        self._traces_days = traces_days
        self._pruning = asyncio.create_task(self._prune_now_and_then())

    @classmethod
    async def open(cls, place: str, *, traces_days: float) -> Self:
        """Open the database at a file's path or a SQLAlchemy URL, made and migrated as need be.

        Records that a killed process left are taken over.

        Raises:
            StorageError: it cannot be used, or is of a newer version.
        """
        found = located(place, os.environ)
        database = Database(found)

        def prepare() -> tuple[Journal, list[Journal]]:
            try:
                with alone(found.journals):
                    database.prepare()
                    migrate(database)
                    return opened_journals(found.journals)
            except BaseException:
                database.close_now()
                raise

        try:
            own, left = await asyncio.to_thread(prepare)
        except OSError as error:
            told = f"{found.journals}: the journal's folder cannot be used ({error.strerror})"
            raise StorageError(f"{told}; check the path, or set XDG_STATE_HOME") from error
        return cls(database, own, left, traces_days)

    async def close(self) -> None:
        """Bring what was entered into the database; in an outage it waits for the next start."""
        await self._holding.close()
        self._pruning.cancel()
        await asyncio.gather(self._pruning, return_exceptions=True)
        await self._recorder.close()
        await self._database.close()

    async def create_key(
        self, name: str, *, pairs: Sequence[str] | None = None, limits: KeyLimits = NO_LIMITS
    ) -> NewKey:
        """Make a key that may use these pairs, or all.

        Raises:
            NameTaken: a key that is in force is called so.
            ValueError: this is no name.
        """
        return await self._database.write(
            lambda connection: keyring.create(connection, name, pairs, limits)
        )

    async def keys(self) -> list[KeyRow]:
        """Every key, revoked ones too, oldest first."""
        return await self._database.read(keyring.listed)

    async def revoke_key(self, id_or_name: str) -> bool:
        """End a key, here at once and in other processes within KNOWN_SECONDS.

        False where no key in force has this id or name.
        """
        found = await self._database.write(
            lambda connection: keyring.revoke(connection, id_or_name)
        )
        self._keys.forget()
        return found

    async def has_keys(self) -> bool:
        """Whether any key is in force."""
        return await self._database.read(keyring.any_in_force)

    @property
    def knows_keys(self) -> bool:
        """Whether somebody has a key that goes on in an outage."""
        return self._keys.is_any_certain

    @property
    def backlog(self) -> Backlog:
        """What has been entered and is not in the database."""
        return self._recorder.backlog

    async def authenticate(self, text: str) -> ActiveKey | None:
        """The key in force that has this text. In an outage, keys met before go on for a while."""
        return await self._keys.authenticate(text)

    async def admit(self, key: ActiveKey, exchange_id: str, worst: Worst) -> None:
        """Let an exchange in; a key without limits always is.

        What it reserves is given back when its record is entered, whatever became of it.

        Raises:
            OverLimit: a limit of the key is reached.
        """
        if not key.limits.is_unlimited:
            await self._database.write(
                lambda connection: admit(connection, key, exchange_id, worst)
            )
            self._holding.hold(exchange_id)

    def enter(self, record: Record) -> None:
        """Keep a record. Takes microseconds; to be called from the event loop's thread."""
        self._recorder.enter(record)

    async def trace(self, trace_id: str, key_id: str | None) -> dict[str, Any] | None:
        """A trace that is kept and belongs to this key; ``key_id`` None may see any."""
        if not trace_id.isprintable():
            return None  # PostgreSQL takes no NUL, and none has an id with one
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

    async def prune(self) -> None:
        """Delete traces that are too old, and counts and reservations that say nothing more."""
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


def _delete_spent(connection: Connection, now: float) -> None:
    old = (USAGE.c.period == Period.MINUTE) & (USAGE.c.start < now - DAY)
    connection.execute(delete(USAGE).where(old))
    # an outage may outlast what is renewed behind it
    connection.execute(delete(RESERVATIONS).where(RESERVATIONS.c.expires <= now - DAY))


def _delete_traces(connection: Connection, before: float) -> bool:
    """Delete some; few at a time, because others wait to write. False where none is left."""
    old = select(TRACES.c.id).where(TRACES.c.created < before).limit(_PRUNED_AT_ONCE)
    return connection.execute(delete(TRACES).where(TRACES.c.id.in_(old))).rowcount > 0
