"""The list of stored traces: what was asked and what ran, without reading whole traces."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, func, select

from trigreason.gateway.storage.tables import RECORDS, TRACES, usd

READ = 16_384
"""The first characters of a trace, in which its messages begin."""

SHOWN = 200
"""The most characters of a question that the list shows."""

_MESSAGES = '"messages":['


def latest_traces(connection: Connection, key_id: str | None, limit: int) -> list[dict[str, Any]]:
    """The latest traces of a key, or with None of all, newest first.

    ``question`` is None where the messages are too long to be read here.
    """
    beginning = func.substr(TRACES.c.body, 1, READ)
    query = (
        select(TRACES.c.id, TRACES.c.created, beginning.label("beginning"), RECORDS)
        .join(RECORDS)
        .order_by(TRACES.c.created.desc(), TRACES.c.id)
        .limit(limit)
    )
    if key_id is not None:
        query = query.where(RECORDS.c.key == key_id)
    return [_listed(row._mapping) for row in connection.execute(query)]


def _listed(row: Any) -> dict[str, Any]:
    nano_usd = row[RECORDS.c.nano_usd]
    return {
        "id": row[TRACES.c.id],
        "created": row[TRACES.c.created],
        "question": question_of(row["beginning"]),
        **{name: row[RECORDS.c[name]] for name in ("pair", "method", "outcome", "seconds")},
        **{name: row[RECORDS.c[name]] for name in ("reasoning_tokens", "answer_tokens")},
        "usd": None if nano_usd is None else usd(nano_usd),
    }


def question_of(beginning: str) -> str | None:
    """The last user message in a trace's JSON, shortened; ``beginning`` may break off anywhere.

    In a JSON text a quotation mark within a string has a backslash before it, so what is searched
    for is a key.
    """
    at = beginning.find(_MESSAGES)
    if at < 0:
        return None
    try:
        messages, _ = json.JSONDecoder().raw_decode(beginning, at + len(_MESSAGES) - 1)
    except ValueError:
        return None
    asked = [message["content"] for message in messages if message["role"] == "user"]
    return str(asked[-1])[:SHOWN] if asked else None
