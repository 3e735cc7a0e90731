"""Files that hold records until the database has them.

Each process that is alive appends to a file of its own and keeps it locked (flock), so a file
that is not locked was left by a process that died, and whoever comes next takes it over. Lines
are in the kernel's hands once written: they outlast the process, though not the machine's power.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self

LOG = logging.getLogger("trigreason.gateway")
BATCH_LINES = 200
BATCH_BYTES = 4 * 2**20
_ENDING = ".jsonl"
_LOCK_FILE = "lock"
_SET_ASIDE = "unusable.txt"


class Batch(NamedTuple):
    """Lines that are next to go into the database, and where in the file they end."""

    lines: list[bytes]
    end: int


class Journal:
    """A file of lines, emptied from the front. Made by :func:`opened_journals`, which locks it."""

    def __init__(self, file: Path, descriptor: int) -> None:
        self.file = file
        self._descriptor = descriptor
        self._lock = Lock()
        self._done = 0
        self._emptied = 0
        self._is_torn = False

    @property
    def written(self) -> int:
        """Bytes that were ever appended."""
        with self._lock:
            return self._emptied + os.fstat(self._descriptor).st_size

    @property
    def settled(self) -> int:
        """How many of these, the first ones, are in the database."""
        with self._lock:
            return self._emptied + self._done

    def append(self, line: bytes) -> None:
        """Write a line that ends in a newline, with a single write.

        Raises:
            OSError: the file takes no more; nothing of the line will be read.
        """
        with self._lock:
            if self._is_torn:
                line = b"\n" + line
            written = os.write(self._descriptor, line)
            self._is_torn = written < len(line)
            if self._is_torn:
                raise OSError(f"{self.file}: only {written} of {len(line)} bytes were taken")

    def batch(self) -> Batch:
        """What is next. A line without its end, which a process left when it died, is skipped."""
        size, data = self._end(), b""
        while self._done + len(data) < size:
            more = os.pread(self._descriptor, BATCH_BYTES, self._done + len(data))
            data += more
            if not more or b"\n" in more:
                break
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.splitlines(keepends=True)[:BATCH_LINES]
        end = self._done + sum(map(len, lines)) if lines else self._done + len(data)
        return Batch([line for line in lines if line.strip()], end)

    def advance(self, end: int) -> bool:
        """What lies before ``end`` is in the database; True if that is all there is.

        The file is then emptied.
        """
        with self._lock:
            self._done = end
            if end < os.fstat(self._descriptor).st_size:
                return False
            os.ftruncate(self._descriptor, 0)
            self._emptied += end
            self._done = 0
            self._is_torn = False
            return True

    def set_aside(self, line: bytes) -> Path:
        """Keep a line that no database will take where a person can look at it."""
        file = self.file.with_name(_SET_ASIDE)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        return file

    def close(self) -> None:
        """Give the file up: to nobody where it is empty, else to whoever comes next."""
        if self._end() == 0:
            self.file.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _end(self) -> int:
        with self._lock:
            return os.fstat(self._descriptor).st_size

    @classmethod
    def opened(cls, file: Path) -> Self | None:
        """The journal in a file, made if need be; None where a living process has it."""
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(file, descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock under which a database is prepared and its journals are handed out."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def opened_journals(folder: Path) -> tuple[Journal, list[Journal]]:
    """A new journal, and those that dead processes left; to be called :func:`alone`."""
    left = []
    for file in sorted(folder.glob(f"*{_ENDING}")):
        with suppress(FileNotFoundError):
            if journal := Journal.opened(file):
                left.append(journal)
    own = Journal.opened(folder / f"{os.getpid()}-{secrets.token_hex(4)}{_ENDING}")
    assert own is not None, "nobody else has a file of this name"
    return own, left
