"""A real PostgreSQL for tests: Debian's package, started in a folder of its own.

Fixtures: ``postgresql_server``, one per test process, and ``postgresql_url``, a new database on it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

UNPRIVILEGED = "postgres"
"""Who it runs as where the tests run as root, which PostgreSQL refuses."""


@dataclass(frozen=True)
class Server:
    """Listens on a socket in ``folder`` alone, trusts everybody, and syncs nothing to the disk."""

    programs: Path
    folder: Path
    user: str | None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=200"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-w", "-D", str(self.data), "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """End it as a crash would: clients are cut off, nothing is tidied."""
        self._run("pg_ctl", "-w", "-D", str(self.data), "-m", "immediate", "stop")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        args = ("--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        self._run("initdb", *args, "-D", str(self.data))

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,  # not a pipe, which the server would keep open
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{program} failed; see {self.folder}/log"


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server, stopped and removed on leaving. Skips the test where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = UNPRIVILEGED if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="trigreason-pg-"))
    try:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        server = Server(found[-1], folder, user)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    with postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A database that nobody has used yet."""
    name = f"t{secrets.token_hex(6)}"
    postgresql_server.execute(f"CREATE DATABASE {name}")
    yield postgresql_server.url(name)
    postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
