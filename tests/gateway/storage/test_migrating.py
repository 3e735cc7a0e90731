"""From nothing, and from every version there was, to the tables of this one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from tests.gateway.storage.books import record, recorded
from trigreason.gateway.storage import DatabaseNewer, Storage, StorageError
from trigreason.gateway.storage.database import Database
from trigreason.gateway.storage.place import located
from trigreason.gateway.storage.tables import METADATA, VERSION_TABLE


@pytest.fixture
async def migrated(place: str) -> str:
    storage = await Storage.open(place, traces_days=7)
    storage.enter(record("first"))
    await storage.close()
    return place


def test_the_migrations_lead_to_the_tables(migrated: str) -> None:
    def differences(connection: Connection) -> Any:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    database = Database(located(migrated, os.environ))
    try:
        assert database.transact(differences) == []
    finally:
        database.close_now()


async def test_the_same_version_finds_everything_there(migrated: str) -> None:
    storage = await Storage.open(migrated, traces_days=7)
    await storage.close()
    assert recorded(migrated) == {"first"}


async def test_a_newer_version_is_refused(migrated: str) -> None:
    database = Database(located(migrated, os.environ))
    statement = f"UPDATE {VERSION_TABLE} SET version_num = '9999'"
    database.transact(lambda connection: connection.exec_driver_sql(statement))
    database.close_now()
    with pytest.raises(DatabaseNewer, match=r"newer version of trigreason \(9999\); upgrade"):
        await Storage.open(migrated, traces_days=7)


async def test_many_may_start_at_once(place: str) -> None:
    opening = (Storage.open(place, traces_days=7) for _ in range(6))
    storages = await asyncio.gather(*opening)
    assert len({storage.secret for storage in storages}) == 1
    for index, storage in enumerate(storages):
        storage.enter(record(f"by {index}"))
    await asyncio.gather(*(storage.close() for storage in storages))
    assert recorded(place) == {f"by {index}" for index in range(6)}


async def test_each_database_has_a_lasting_secret_of_its_own(tmp_path: Path) -> None:
    secrets = []
    for name in ("one", "one", "other"):
        storage = await Storage.open(str(tmp_path / name), traces_days=7)
        secrets.append(storage.secret)
        await storage.close()
    assert secrets[0] == secrets[1] != secrets[2]
    assert {len(secret) for secret in secrets} == {32}


async def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "gateway.db"
    storage = await Storage.open(str(file), traces_days=7)
    assert file.stat().st_mode & 0o777 == 0o600
    for other in (*file.parent.glob("*.db-*"), *file.parent.glob("*/*")):
        assert not other.stat().st_mode & 0o077, other
    await storage.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [("this is some other file " * 100, "not a database"), (None, "Is a directory")],
)
async def test_what_is_no_database_is_refused(
    tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "thing"
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    with pytest.raises(StorageError, match=rf"^{file}: .*{told}"):
        await Storage.open(str(file), traces_days=7)
    if content is not None:
        assert file.read_text() == content
