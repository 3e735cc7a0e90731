"""Whether a record's prompt is an estimate."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    name = "prompt_is_estimate"
    estimated = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("gateway_records", estimated)
