"""Alembic's entry point: runs the migrations on the connection that ``migrating`` passes.

Migrations are written by hand; a test compares the resulting tables with ``tables``.
"""

from alembic import context

from trigreason.gateway.storage.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
context.run_migrations()
