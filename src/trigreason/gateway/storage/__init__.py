"""The gateway's database: keys, their limits and use, records of exchanges, traces.

storage = await Storage.open("gateway.db", traces_days=7)
await storage.admit(key, exchange.id, Worst(tokens=5000, usd=0.01))
storage.enter(Record.of(exchange, keep_traces=False))
"""

from trigreason.gateway.storage.budgets import Worst
from trigreason.gateway.storage.errors import (
    DatabaseAway,
    DatabaseNewer,
    NameTaken,
    OverLimit,
    StorageError,
)
from trigreason.gateway.storage.key_cache import AWAY_SECONDS, CACHED_SECONDS
from trigreason.gateway.storage.keyring import KeyRow
from trigreason.gateway.storage.place import database_place
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.storage import Storage

__all__ = [
    "AWAY_SECONDS",
    "CACHED_SECONDS",
    "DatabaseAway",
    "DatabaseNewer",
    "KeyRow",
    "NameTaken",
    "OverLimit",
    "Record",
    "Storage",
    "StorageError",
    "Worst",
    "database_place",
]
