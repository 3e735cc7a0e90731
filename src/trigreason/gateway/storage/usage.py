"""Keys' use per minute, day and month, and the lock under which it is counted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from trigreason.gateway.storage.periods import Period
from trigreason.gateway.storage.tables import KEYS, USAGE


@dataclass(slots=True)
class Used:
    """One key's use in one period; ``admitted`` is counted in minutes only."""

    admitted: int = 0
    settled: int = 0
    tokens: int = 0
    nano_usd: int = 0


def lock(connection: Connection, keys: Collection[str]) -> None:
    """Lock these keys' use until the transaction ends.

    PostgreSQL locks each key's row, in a fixed order, so that there is no deadlock; SQLite has only
    one writer.
    """
    if not keys:
        return
    rows = select(KEYS.c.id).where(KEYS.c.id.in_(keys)).order_by(KEYS.c.id)
    connection.execute(rows.with_for_update(key_share=True)).all()


def used(connection: Connection, key: str, at: float) -> dict[Period, Used]:
    """A key's use in the minute, day and month of ``at``."""
    periods = (
        (USAGE.c.period == period) & (USAGE.c.start == period.start(at)) for period in Period
    )
    rows = connection.execute(select(USAGE).where(USAGE.c.key == key, or_(*periods)))
    stored = {
        Period(row.period): Used(row.admitted, row.settled, row.tokens, row.nano_usd)
        for row in rows
    }
    return {period: stored.get(period, Used()) for period in Period}


def add(connection: Connection, key: str, period: Period, start: int, more: Used) -> None:
    """Add to a key's use; the key must be locked."""
    columns = ("admitted", "settled", "tokens", "nano_usd")
    amounts = {name: getattr(more, name) for name in columns}
    row = (USAGE.c.key == key) & (USAGE.c.period == period) & (USAGE.c.start == start)
    sums = {name: USAGE.c[name] + value for name, value in amounts.items()}
    if not connection.execute(update(USAGE).where(row).values(sums)).rowcount:
        connection.execute(
            insert(USAGE).values(key=key, period=period.value, start=start, **amounts)
        )
