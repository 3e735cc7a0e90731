"""Whether a record's cost is an estimate."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    estimated = sa.Column("usd_is_estimate", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("gateway_records", estimated)
