"""Bringing a database to the tables of this version."""

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
"""PostgreSQL's advisory lock for it; the number is "trigreas"."""


def migrate(database: Database) -> None:
    """All of it in one transaction, one process at a time.

    Raises:
        DatabaseNewer: a later version has been here.
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
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    if unknown := set(context.get_current_heads()) - known:
        raise DatabaseNewer(
            f"{place}: the database is of a newer version of trigreason "
            f"({', '.join(sorted(unknown))}); upgrade trigreason, or use another database"
        )
    command.upgrade(config, "head")
