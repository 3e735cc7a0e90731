"""Alembic's entry: runs the migrations on the connection that ``migrating`` hands over.

A new one is written by hand beside the others, and a test compares where they lead with
``tables``.
"""

from alembic import context

from trigreason.gateway.storage.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
context.run_migrations()
