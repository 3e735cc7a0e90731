"""Migrates a database to this version's tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.errors import DatabaseNewer
from trigreason.gateway.storage.tables import VERSION_TABLE

SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x7472_6967_7265_6173
"""The id of PostgreSQL's advisory lock for migrations: "trigreas" in ASCII."""


def migrate(database: Database) -> None:
    """Run all migrations in one transaction, one process at a time.

    Raises:
        DatabaseNewer: a later version has migrated the database.
        DatabaseAway: the database cannot be used.
    """

    def work(connection: Connection) -> None:
        if database.place.file is None:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _upgrade(connection, str(database.place))

    database.transact(work)


def _upgrade(connection: Connection, place: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    revisions = {script.revision for script in scripts}
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    if unknown := set(context.get_current_heads()) - revisions:
        raise DatabaseNewer(
            f"{place}: the database is of a newer version of trigreason "
            f"({', '.join(sorted(unknown))}); upgrade trigreason, or use another database"
        )
    command.upgrade(config, "head")
