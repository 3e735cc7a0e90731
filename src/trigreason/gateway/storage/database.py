"""Async access to the database: transactions run in threads, and all outages are DatabaseAway."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from trigreason.gateway.storage.errors import DatabaseAway, StorageError
from trigreason.gateway.storage.place import DatabasePlace

READERS = 2
WRITERS = 4
"""Threads, each with a connection. SQLite gets one writer, because more would only wait."""

BUSY_SECONDS = 60.0
"""How long SQLite waits while another process writes."""

REST_SECONDS = 1.0
"""After an outage of PostgreSQL, requests fail at once for so long instead of waiting."""

_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 30,
}
# A gateway that is stopped in the middle of a transaction must not block the others for long.
_OPTIONS = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
_WAITED_FOR_A_LOCK = ("55P03", "40P01")

Result = TypeVar("Result")


class Database:
    """The database; connections are opened when they are needed.

    ``read`` and ``write`` run a function in one transaction, in a thread. An exception of the
    function rolls back and is passed on; an outage of the database raises DatabaseAway.
    """

    def __init__(self, place: DatabasePlace) -> None:
        self.place = place
        writers = 1 if place.file else WRITERS
        self._engine = _sqlite(place) if place.file else _postgresql(place)
        self._readers = ThreadPoolExecutor(READERS, "storage-reader")
        self._writers = ThreadPoolExecutor(writers, "storage-writer")
        self._rests_until = 0.0

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.transact, work, True)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Like ``read``; on SQLite the transaction holds the write lock from its beginning."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writers, self.transact, work)

    def transact(self, work: Callable[[Connection], Result], reads: bool = False) -> Result:
        """Run a function in one transaction, in the calling thread."""
        if monotonic() < self._rests_until:
            raise DatabaseAway(f"{self.place}: the database does not answer")
        try:
            connected = self._engine.connect().execution_options(reads=reads)
            with connected as connection, connection.begin():
                return work(connection)
        except (DataError, IntegrityError):
            raise
        except (DBAPIError, NoConnection) as error:
            raise self._away(error) from error

    def _away(self, error: SQLAlchemyError) -> DatabaseAway:
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = getattr(cause, "sqlstate", None)
        if self.place.file is None and state not in _WAITED_FOR_A_LOCK:
            self._rests_until = monotonic() + REST_SECONDS
        return DatabaseAway(f"{self.place}: the database cannot be used: {_first_line(cause)}")

    async def close(self) -> None:
        """Wait for running transactions, and close every connection."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        for executor in (self._readers, self._writers):
            executor.shutdown()
        self._engine.dispose()

    def prepare(self) -> None:
        """For SQLite: create the file, readable by its owner only, and switch it to WAL.

        Raises:
            StorageError: the file cannot be created, or is not an SQLite database.
        """
        file = self.place.file
        if file is None:
            return
        try:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            what = f"{file}: the database cannot be opened ({error.strerror}); check the path"
            raise StorageError(what) from error
        try:
            with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            what = f"{file}: the database cannot be used ({error}); choose another file"
            raise StorageError(what) from error


def _sqlite(place: DatabasePlace) -> Engine:
    engine = create_engine(
        place.url,
        pool_size=READERS + 1,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # begin() below starts transactions, not the driver
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _postgresql(place: DatabasePlace) -> Engine:
    query = place.url.query
    arguments = {name: value for name, value in _POSTGRESQL.items() if name not in query}
    if "options" not in query:
        arguments["options"] = _OPTIONS
    return create_engine(
        place.url,
        pool_size=READERS + WRITERS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args=arguments,
    )


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
