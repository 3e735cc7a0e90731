"""Keys, usage, reservations, records and traces."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "gateway_keys",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("pairs", sa.Text),
        sa.Column("requests_per_minute", sa.BigInteger),
        sa.Column("tokens_per_minute", sa.BigInteger),
        sa.Column("usd_per_day", sa.Double),
        sa.Column("usd_per_month", sa.Double),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_keys"),
    )
    in_force = sa.text("revoked IS NULL")
    op.create_index(
        "ix_gateway_keys_name_in_force",
        "gateway_keys",
        ["name"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
    op.create_table(
        "gateway_usage",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("admitted", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", "period", "start", name="pk_gateway_usage"),
        sa.ForeignKeyConstraint(["key"], ["gateway_keys.id"], name="fk_gateway_usage_key"),
    )
    op.create_table(
        "gateway_reservations",
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("exchange", name="pk_gateway_reservations"),
        sa.ForeignKeyConstraint(["key"], ["gateway_keys.id"], name="fk_gateway_reservations_key"),
    )
    op.create_index("ix_gateway_reservations_key", "gateway_reservations", ["key"])
    op.create_table(
        "gateway_records",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("api", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("pair", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("degraded", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("queued_seconds", sa.Double, nullable=False),
        sa.Column("first_reasoning_seconds", sa.Double),
        sa.Column("first_answer_seconds", sa.Double),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
        sa.Column("answer_tokens", sa.BigInteger, nullable=False),
        sa.Column("draft_tokens", sa.BigInteger, nullable=False),
        sa.Column("srm_tokens", sa.BigInteger, nullable=False),
        sa.Column("lrm_tokens", sa.BigInteger, nullable=False),
        sa.Column("srm_requests", sa.BigInteger, nullable=False),
        sa.Column("lrm_requests", sa.BigInteger, nullable=False),
        sa.Column("runs", sa.BigInteger, nullable=False),
        sa.Column("nano_usd", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_records"),
        sa.ForeignKeyConstraint(["key"], ["gateway_keys.id"], name="fk_gateway_records_key"),
    )
    op.create_index("ix_gateway_records_created", "gateway_records", ["created"])
    op.create_table(
        "gateway_traces",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_traces"),
        sa.ForeignKeyConstraint(
            ["record"], ["gateway_records.id"], name="fk_gateway_traces_record", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_gateway_traces_created", "gateway_traces", ["created"])
