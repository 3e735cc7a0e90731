"""The secret that signs what clients send back."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    table = op.create_table("gateway_secret", sa.Column("hex", sa.Text, nullable=False))
    op.bulk_insert(table, [{"hex": secrets.token_hex(32)}])
