"""Where the database is said to be, and that nothing says its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigreason.configuration import ConfigurationError
from trigreason.configuration.gateway import GatewaySettings
from trigreason.gateway.storage import DatabaseAway, Storage, StorageError, database_place
from trigreason.gateway.storage.place import located


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, "/state/trigreason/gateway.db"),
        ({"database": "/some/file.db"}, "/some/file.db"),
        ({"database_env": "DB"}, "postgresql://u:secret@h/n"),
    ],
)
def test_a_place(settings: dict[str, str], place: str) -> None:
    environ = {"XDG_STATE_HOME": "/state", "DB": " postgresql://u:secret@h/n\n"}
    assert database_place(GatewaySettings(**settings), environ) == place  # type: ignore[arg-type]


def test_without_a_state_folder_it_is_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    expected = "/home/me/.local/state/trigreason/gateway.db"
    assert database_place(GatewaySettings(), {"XDG_STATE_HOME": "relative"}) == expected


@pytest.mark.parametrize("environ", [{}, {"DB": ""}])
def test_a_variable_that_is_not_set(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"gateway\.database_env: DB is not set; export"):
        database_place(GatewaySettings(database_env="DB"), environ)


def test_one_place_is_enough() -> None:
    with pytest.raises(ConfigurationError, match="give one of them"):
        database_place(GatewaySettings(database="a.db", database_env="DB"), {"DB": "b.db"})


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("postgresql://u:se@cret@h:port/n", "cannot be read; write it like"),
        ("mysql://u:secret@h/n", "a file for SQLite, or a postgresql:// URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_what_is_refused(place: str, told: str) -> None:
    with pytest.raises(StorageError, match=told) as refused:
        located(place, {})
    assert "cret" not in str(refused.value)


def test_a_password_is_not_told_and_does_not_move_the_journals() -> None:
    environ = {"XDG_STATE_HOME": "/state"}
    places = [
        located(url, environ)
        for url in (
            "postgresql://u@h/n",
            "postgres://u:secret@h/n",
            "postgresql+asyncpg://u@h/n?password=secret",
        )
    ]
    assert {str(place) for place in places} == {"postgresql://h/n"}
    assert len({place.journals for place in places}) == 1
    assert places[0].journals.parent == Path("/state/trigreason/journals")
    assert located("postgresql://u@h/other", environ).journals != places[0].journals


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(DatabaseAway, match=r"^postgresql://127\.0\.0\.1/n: .*refused") as away:
        await Storage.open("postgresql://u:secret@127.0.0.1:1/n", traces_days=7)
    assert "secret" not in str(away.value)
