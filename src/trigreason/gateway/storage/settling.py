"""Puts records into the database, each once, and counts their use."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from trigreason.gateway.storage.periods import Period
from trigreason.gateway.storage.records import Record
from trigreason.gateway.storage.tables import RECORDS, RESERVATIONS, TRACES, nano
from trigreason.gateway.storage.usage import Used, add, lock


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
