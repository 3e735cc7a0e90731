"""The locations of the database and of its journals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trigreason.configuration import ConfigurationError, ConfigurationProblem
from trigreason.configuration.gateway import GatewaySettings
from trigreason.gateway.storage.errors import StorageError

FILE = "gateway.db"
_SECRETS = ("password", "sslpassword")


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """A database. ``file`` is SQLite's, None for PostgreSQL; ``str()`` holds no password."""

    url: URL
    journals: Path
    file: Path | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        host = self.url.host or self.url.query.get("host") or "localhost"
        return f"postgresql://{host}/{self.url.database or ''}"


def database_place(settings: GatewaySettings, environ: Mapping[str, str]) -> str:
    """The file or URL of the configured database.

    Raises:
        ConfigurationError: both settings are there, or the named variable is not set.
    """
    if variable := settings.database_env:
        if settings.database is not None:
            raise _problem("database", "excludes database_env; give one of them")
        if not (place := environ.get(variable, "").strip()):
            what = f"{variable} is not set; export {variable}=postgresql://user:password@host/name"
            raise _problem("database_env", what)
        return place
    return settings.database or str(state_folder(environ) / FILE)


def state_folder(environ: Mapping[str, str]) -> Path:
    """The folder for this user's state files (XDG_STATE_HOME).

    Raises:
        StorageError: the user has no home folder.
    """
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path("~/.local/state").expanduser()
        except RuntimeError:
            raise StorageError("this user has no home folder; set XDG_STATE_HOME") from None
    return state / "trigreason"


def located(place: str, environ: Mapping[str, str]) -> DatabasePlace:
    """The database at a file's path or a SQLAlchemy URL.

    Raises:
        StorageError: the URL is invalid, or names another kind of database. The message never
            repeats the URL, which may hold a password.
    """
    if "://" not in place:
        return _sqlite(Path(place).expanduser())
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        what = "the database's URL cannot be read; write it like postgresql://user:pw@host/name"
        raise StorageError(f"{what}, with special characters in it as %XX") from None
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StorageError("the database's URL names no file; write sqlite:///gateway.db")
        return _sqlite(Path(url.database))
    if kind not in ("postgresql", "postgres"):
        raise StorageError("the database must be a file for SQLite, or a postgresql:// URL")
    url = url.set(drivername="postgresql+psycopg")
    public = url._replace(password=None).difference_update_query(_SECRETS)
    name = hashlib.sha256(public.render_as_string().encode()).hexdigest()[:16]
    return DatabasePlace(url, state_folder(environ) / "journals" / name)


def _sqlite(file: Path) -> DatabasePlace:
    file = file.absolute()
    url = URL.create("sqlite", database=str(file))
    return DatabasePlace(url, file.with_name(f"{file.name}-journals"), file)


def _problem(key: str, what: str) -> ConfigurationError:
    return ConfigurationError([ConfigurationProblem("configuration", f"gateway.{key}", what)])
