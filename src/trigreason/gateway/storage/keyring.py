"""Keys in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import time
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from trigreason.gateway.keys import ActiveKey, KeyLimits, NewKey, new_key
from trigreason.gateway.storage.errors import NameTaken
from trigreason.gateway.storage.periods import DAY, Period
from trigreason.gateway.storage.tables import KEYS, USAGE, usd

LONGEST_NAME = 100
LISTED_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A listed key: its times (seconds since 1970) and its use in the last 30 days."""

    id: str
    name: str
    pairs: tuple[str, ...] | None
    limits: KeyLimits
    created: float
    revoked_at: float | None
    requests: int
    usd: float


class StoredKey(NamedTuple):
    """A key and the digest of its text."""

    key: ActiveKey
    digest: str


def create(
    connection: Connection, name: str, pairs: Sequence[str] | None, limits: KeyLimits
) -> NewKey:
    """Create a key.

    Raises:
        NameTaken: an active key has this name.
        ValueError: the name is empty, too long, or not printable.
    """
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise ValueError(f"a key's name is 1 to {LONGEST_NAME} printable characters")
    in_force = KEYS.c.revoked.is_(None)
    if connection.scalar(select(KEYS.c.id).where(KEYS.c.name == name, in_force)):
        raise NameTaken(f"a key is called {name} already; choose another name, or revoke it first")
    key = new_key()
    connection.execute(
        insert(KEYS).values(
            id=key.id,
            name=name,
            digest=key.digest,
            pairs=None if pairs is None else json.dumps(list(pairs)),
            created=time(),
            **asdict(limits),
        )
    )
    return key


def listed(connection: Connection) -> list[KeyRow]:
    """All keys, including revoked ones, oldest first."""
    since = Period.DAY.start(time()) - (LISTED_DAYS - 1) * DAY
    recent = (
        select(
            USAGE.c.key,
            func.sum(USAGE.c.settled).label("requests"),
            func.sum(USAGE.c.nano_usd).label("nano_usd"),
        )
        .where(USAGE.c.period == Period.DAY, USAGE.c.start >= since)
        .group_by(USAGE.c.key)
        .subquery()
    )
    rows = connection.execute(
        select(KEYS, recent.c.requests, recent.c.nano_usd)
        .outerjoin(recent, recent.c.key == KEYS.c.id)
        .order_by(KEYS.c.created, KEYS.c.id)
    )
    return [
        KeyRow(
            id=row.id,
            name=row.name,
            pairs=_pairs(row),
            limits=_limits(row),
            created=row.created,
            revoked_at=row.revoked,
            requests=int(row.requests or 0),
            usd=usd(int(row.nano_usd or 0)),
        )
        for row in rows
    ]


def revoke(connection: Connection, id_or_name: str) -> bool:
    """Revoke an active key; False if none has this id or name."""
    if not id_or_name.isprintable():
        return False
    in_force = KEYS.c.revoked.is_(None)
    named = or_(KEYS.c.id == id_or_name, KEYS.c.name == id_or_name)
    matches = connection.scalars(select(KEYS.c.id).where(in_force, named)).all()
    if not matches:
        return False
    one = id_or_name if id_or_name in matches else matches[0]
    connection.execute(update(KEYS).where(KEYS.c.id == one).values(revoked=time()))
    return True


def any_in_force(connection: Connection) -> bool:
    return connection.scalar(select(KEYS.c.id).where(KEYS.c.revoked.is_(None)).limit(1)) is not None


def find(connection: Connection, identity: str) -> StoredKey | None:
    """The active key with this id."""
    query = select(KEYS).where(KEYS.c.id == identity, KEYS.c.revoked.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    key = ActiveKey(id=row.id, name=row.name, pairs=_pairs(row), limits=_limits(row))
    return StoredKey(key, row.digest)


def _pairs(row: Row[Any]) -> tuple[str, ...] | None:
    return None if row.pairs is None else tuple(json.loads(row.pairs))


def _limits(row: Row[Any]) -> KeyLimits:
    return KeyLimits(
        requests_per_minute=row.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute,
        usd_per_day=row.usd_per_day,
        usd_per_month=row.usd_per_month,
    )
