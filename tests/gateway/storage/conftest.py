"""Every storage test runs on SQLite, and on PostgreSQL among the slow ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.postgresql import postgresql_server, postgresql_url
from trigreason.gateway.storage import Storage

__all__ = ["postgresql_server", "postgresql_url"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, where the journals for PostgreSQL are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "gateway.db")
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest_asyncio.fixture
async def storage(place: str) -> AsyncIterator[Storage]:
    opened = await Storage.open(place, traces_days=7)
    yield opened
    await opened.close()
