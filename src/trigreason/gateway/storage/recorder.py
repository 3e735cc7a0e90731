"""Moves records from the journal into the database, in the background."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.journal import Journal
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.usage import settle

LOG = logging.getLogger("trigreason.gateway")
GATHER_SECONDS = 0.05
"""How long records are collected for one transaction."""

PATIENCE_SECONDS = 0.5
LONGEST_PATIENCE_SECONDS = 10.0
"""The back-off after a failure of the database: it doubles from the first to the second."""

UNWRITTEN = 10_000
"""The most records (the newest) that are kept in memory while the journal's disk is full."""


class Backlog(NamedTuple):
    """What waits for the database: bytes in journals, and records in memory alone."""

    bytes: int
    records: int


class Recorder:
    """Takes records in the event loop's thread; writes them to a journal, then to the database."""

    def __init__(self, database: Database, own: Journal, left: Sequence[Journal]) -> None:
        self._database = database
        self._own = own
        self._left = list(left)
        self._unwritten: deque[Record] = deque(maxlen=UNWRITTEN)
        self._entered = asyncio.Event()
        self._moved = asyncio.Condition()
        self._closing = asyncio.Event()
        self._outage = False
        self._task = asyncio.create_task(self._move())

    def enter(self, record: Record) -> None:
        """Take a record. Once this returns, the record survives a kill, unless the disk is full."""
        try:
            self._own.append(record.to_line())
        except OSError as error:
            if not self._unwritten:
                LOG.error("records are kept in memory alone: %s", error)
            self._unwritten.append(record)
        self._entered.set()

    @property
    def backlog(self) -> Backlog:
        waiting = sum(journal.written - journal.settled for journal in [self._own, *self._left])
        return Backlog(waiting, len(self._unwritten))

    async def caught_up(self, seconds: float) -> bool:
        """Wait up to ``seconds``; whether all records entered so far are in the database then."""
        entered = self._own.written
        try:
            async with asyncio.timeout(seconds), self._moved:
                return await self._moved.wait_for(
                    lambda: self._own.settled >= entered and not self._unwritten
                )
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Move all records. In an outage it tries once, and the rest waits for the next process."""
        self._closing.set()
        self._entered.set()
        await self._task
        if self._unwritten:
            LOG.error("%d records found no place and are lost", len(self._unwritten))
        for journal in [self._own, *self._left]:
            journal.close()

    async def _move(self) -> None:
        patience = PATIENCE_SECONDS
        while True:
            is_last = self._closing.is_set()
            self._entered.clear()
            try:
                await self._move_all()
            except Exception as error:  # after any fault the records wait for the next attempt
                self._log_outage(error)
                if is_last:
                    return
                await self._pause(patience)
                patience = min(2 * patience, LONGEST_PATIENCE_SECONDS)
                continue
            self._log_return()
            patience = PATIENCE_SECONDS
            if is_last:
                return
            await self._entered.wait()
            await self._pause(GATHER_SECONDS)

    async def _move_all(self) -> None:
        while self._unwritten:
            record = self._unwritten.popleft()
            try:
                await self._settle([record], self._own)
            except Exception:
                self._unwritten.appendleft(record)
                raise
        await self._move_journal(self._own)
        while self._left:
            await self._move_journal(self._left[-1])
            self._left.pop().close()

    async def _move_journal(self, journal: Journal) -> None:
        is_empty = False
        while not is_empty:
            batch = await asyncio.to_thread(journal.batch)
            if batch.lines:
                records = await asyncio.to_thread(_read, batch.lines, journal)
                await self._settle(records, journal)
            is_empty = journal.advance(batch.end)
            async with self._moved:
                self._moved.notify_all()

    async def _settle(self, records: Sequence[Record], journal: Journal) -> None:
        """Put records into the database; one that it rejects does not stop the others."""
        try:
            await self._database.write(partial(settle, records=records))
        except (SQLAlchemyError, OverflowError) as error:
            if len(records) > 1:
                for record in records:
                    await self._settle([record], journal)
                return
            for record in records:
                _set_aside(record.to_line(), journal, error)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _log_outage(self, error: Exception) -> None:
        if not self._outage:
            LOG.warning("records wait in %s, nothing is lost: %s", self._own.file, error)
        self._outage = True

    def _log_return(self) -> None:
        if self._outage:
            LOG.warning("the database is back, and has the records that waited")
        self._outage = False


def _read(lines: Sequence[bytes], journal: Journal) -> list[Record]:
    records = []
    for line in lines:
        try:
            records.append(Record.from_line(line))
        except ValueError as error:
            _set_aside(line, journal, error)
    return records


def _set_aside(line: bytes, journal: Journal, error: Exception) -> None:
    file = journal.set_aside(line)
    LOG.error("a record cannot be kept, and is in %s instead: %s", file, type(error).__name__)
