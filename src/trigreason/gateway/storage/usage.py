"""Keys' use per minute, day and month, the records it is counted from, and the lock for both."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select, update

from trigreason.gateway.storage.periods import Period
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.tables import KEYS, RECORDS, RESERVATIONS, TRACES, USAGE, nano


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


def settle(connection: Connection, records: Sequence[Record]) -> None:
    """Insert the records that the database does not have yet, and end their reservations."""
    lock(connection, sorted({record.key for record in records if record.key is not None}))
    ids = [record.id for record in records]
    stored = set(connection.scalars(select(RECORDS.c.id).where(RECORDS.c.id.in_(ids))))
    first = {record.id: record for record in reversed(records)}
    new = [record for record in first.values() if record.id not in stored]
    connection.execute(delete(RESERVATIONS).where(RESERVATIONS.c.exchange.in_(ids)))
    if not new:
        return
    connection.execute(insert(RECORDS), [_row(record) for record in new])
    traces = [
        {
            "id": name,
            "record": record.id,
            "created": record.created,
            "body": json.dumps(trace, separators=(",", ":")),
        }
        for record in new
        for name, trace in record.traces.items()
    ]
    if traces:
        connection.execute(insert(TRACES), traces)
    _count(connection, new)


def _row(record: Record) -> dict[str, object]:
    row = record.to_json()
    del row["traces"]
    usd = row.pop("usd")
    return row | {"nano_usd": None if usd is None else nano(usd)}


def _count(connection: Connection, records: Sequence[Record]) -> None:
    sums: defaultdict[tuple[str, Period, int], Used] = defaultdict(Used)
    for record in records:
        if record.key is None:
            continue
        for period in Period:
            use = sums[record.key, period, period.start(record.ended)]
            use.settled += record.was_served
            use.tokens += record.tokens
            use.nano_usd += nano(record.usd or 0.0)
    for (key, period, start), more in sums.items():
        add(connection, key, period, start, more)
