"""The tables after the newest migration.

Times are seconds since 1970 (UTC). Money is in whole billionths of a USD, so that sums are exact
in any order. Names begin with ``gateway_``, because a PostgreSQL database may be shared with
other programs.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    false,
    text,
)

NANO = 10**9
MOST_NANO = 2**62

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
VERSION_TABLE = "gateway_version"
"""The table of Alembic's version, with a ``gateway_`` name for the same reason."""

KEYS = Table(
    "gateway_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("pairs", Text),  # a JSON list; null for all
    Column("requests_per_minute", BigInteger),
    Column("tokens_per_minute", BigInteger),
    Column("usd_per_day", Double),
    Column("usd_per_month", Double),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)
Index(
    "ix_gateway_keys_name_in_force",
    KEYS.c.name,
    unique=True,
    sqlite_where=text("revoked IS NULL"),
    postgresql_where=text("revoked IS NULL"),
)

USAGE = Table(
    "gateway_usage",
    METADATA,
    Column("key", Text, ForeignKey(KEYS.c.id), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("admitted", BigInteger, nullable=False),  # requests let in; counted in minutes only
    Column("settled", BigInteger, nullable=False),  # exchanges whose record is there
    Column("tokens", BigInteger, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
)

RESERVATIONS = Table(
    "gateway_reservations",
    METADATA,
    Column("exchange", Text, primary_key=True),
    Column("key", Text, ForeignKey(KEYS.c.id), nullable=False, index=True),
    Column("tokens", BigInteger, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
    Column("expires", Double, nullable=False),
)

RECORDS = Table(
    "gateway_records",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("key", Text, ForeignKey(KEYS.c.id)),
    Column("api", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("created", Double, nullable=False, index=True),
    Column("streamed", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error", Text),
    Column("degraded", Boolean, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("queued_seconds", Double, nullable=False),
    Column("first_reasoning_seconds", Double),
    Column("first_answer_seconds", Double),
    Column("prompt_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("answer_tokens", BigInteger, nullable=False),
    Column("draft_tokens", BigInteger, nullable=False),
    Column("srm_tokens", BigInteger, nullable=False),
    Column("lrm_tokens", BigInteger, nullable=False),
    Column("srm_requests", BigInteger, nullable=False),
    Column("lrm_requests", BigInteger, nullable=False),
    Column("runs", BigInteger, nullable=False),
    Column("nano_usd", BigInteger),  # null where no model that was asked has a price
    Column("usd_is_estimate", Boolean, nullable=False, server_default=false()),
    Column("prompt_is_estimate", Boolean, nullable=False, server_default=false()),
)

TRACES = Table(
    "gateway_traces",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("record", Text, ForeignKey(RECORDS.c.id, ondelete="CASCADE"), nullable=False),
    Column("created", Double, nullable=False, index=True),
    Column("body", Text, nullable=False),  # JSON in ASCII, because PostgreSQL rejects NUL in a text
)

SECRET = Table("gateway_secret", METADATA, Column("hex", Text, nullable=False))
"""One row, drawn when the table is made: all gateways on a database have the same secret."""


def nano(usd: float) -> int:
    """USD in whole billionths, at most what a column holds."""
    return min(round(usd * NANO), MOST_NANO) if usd < MOST_NANO / NANO else MOST_NANO


def usd(nano_usd: int) -> float:
    """Billionths of a USD in USD."""
    return nano_usd / NANO
