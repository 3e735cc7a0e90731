"""Records to enter, and looks at what a database and its journals hold."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from trigreason.gateway.keys import ActiveKey, KeyLimits
from trigreason.gateway.storage import OverLimit, Record, Storage, Worst
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.place import located
from trigreason.gateway.storage.tables import RECORDS

WORST = Worst(tokens=100, usd=0.01)


def record(identity: str, **changes: Any) -> Record:
    """An exchange of 12 tokens and one cent that has just ended."""
    usual: dict[str, Any] = {
        "id": identity,
        "key": None,
        "api": "chat",
        "model": "bundled",
        "pair": "bundled",
        "method": "trigreason",
        "created": time.time() - 0.5,
        "streamed": True,
        "outcome": "finished",
        "error": None,
        "degraded": False,
        "seconds": 0.5,
        "queued_seconds": 0.0,
        "first_reasoning_seconds": 0.1,
        "first_answer_seconds": None,
        "prompt_tokens": 3,
        "cached_tokens": None,
        "reasoning_tokens": 4,
        "answer_tokens": 5,
        "draft_tokens": 0,
        "srm_tokens": 4,
        "lrm_tokens": 5,
        "srm_requests": 1,
        "lrm_requests": 1,
        "runs": 1,
        "usd": 0.01,
    }
    return Record(**(usual | changes))


async def key_with(storage: Storage, name: str = "somebody", **limits: Any) -> ActiveKey:
    made = await storage.create_key(name, limits=KeyLimits(**limits))
    key = await storage.authenticate(made.text)
    assert key is not None
    return key


async def is_admitted(
    storage: Storage, key: ActiveKey, exchange: str, worst: Worst = WORST
) -> bool:
    try:
        await storage.admit(key, exchange, worst)
    except OverLimit:
        return False
    return True


def rows(place: str, what: Table | Select[Any]) -> Sequence[RowMapping]:
    """What a table holds, or what a query finds."""

    def work(connection: Connection) -> Sequence[RowMapping]:
        query = select(what) if isinstance(what, Table) else what
        return connection.execute(query).mappings().all()

    database = Database(located(place, os.environ))
    try:
        return database.transact(work, reads=True)
    finally:
        database.close_now()


def recorded(place: str) -> set[str]:
    """The ids of the records that a database holds."""
    return {row["id"] for row in rows(place, RECORDS)}


def journals(place: str) -> list[Path]:
    return sorted(located(place, os.environ).journals.glob("*.jsonl"))


async def settled(storage: Storage) -> None:
    """Wait until everything that was entered is in the database."""
    assert await storage._recorder.caught_up(10)
