"""What keys have used, per minute, day and month, and the lock that keeps the books straight."""

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
    """Let nobody else admit or settle anything of these keys until the transaction ends.

    In PostgreSQL a lock on each key's row, taken in one order so that two of us cannot wait for
    each other; in SQLite whoever writes is alone anyway.
    """
    if not keys:
        return
    rows = select(KEYS.c.id).where(KEYS.c.id.in_(keys)).order_by(KEYS.c.id)
    connection.execute(rows.with_for_update(key_share=True)).all()


def used(connection: Connection, key: str, at: float) -> dict[Period, Used]:
    """What a key has used in the minute, day and month of ``at``."""
    periods = (
        (USAGE.c.period == period) & (USAGE.c.start == period.start(at)) for period in Period
    )
    rows = connection.execute(select(USAGE).where(USAGE.c.key == key, or_(*periods)))
    found = {
        Period(row.period): Used(row.admitted, row.settled, row.tokens, row.nano_usd)
        for row in rows
    }
    return {period: found.get(period, Used()) for period in Period}


def add(connection: Connection, key: str, period: Period, start: int, more: Used) -> None:
    """Count something; the key must be locked."""
    columns = ("admitted", "settled", "tokens", "nano_usd")
    more_of = {name: getattr(more, name) for name in columns}
    row = (USAGE.c.key == key) & (USAGE.c.period == period) & (USAGE.c.start == start)
    grown = {name: USAGE.c[name] + value for name, value in more_of.items()}
    if not connection.execute(update(USAGE).where(row).values(grown)).rowcount:
        connection.execute(
            insert(USAGE).values(key=key, period=period.value, start=start, **more_of)
        )
