"""Files that hold records until they are in the database.

Each running process appends to its own file and keeps it locked (flock). An unlocked file was
left by a process that died, and the next process to start takes it over. A written line
is in the kernel's page cache: it survives the process, but not a power failure.
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
    """The lines that go into the database next, and the offset in the file at which they end."""

    lines: list[bytes]
    end: int


class Journal:
    """A file of lines, consumed from the front; :func:`opened_journals` opens and locks it."""

    def __init__(self, file: Path, descriptor: int) -> None:
        self.file = file
        self._descriptor = descriptor
        self._lock = Lock()
        self._done = 0
        self._emptied = 0
        self._is_torn = False

    @property
    def written(self) -> int:
        """Bytes appended so far."""
        with self._lock:
            return self._emptied + os.fstat(self._descriptor).st_size

    @property
    def settled(self) -> int:
        """How many of the appended bytes are in the database."""
        with self._lock:
            return self._emptied + self._done

    def append(self, line: bytes) -> None:
        """Write a line that ends in a newline, with a single write.

        Raises:
            OSError: the line was not written completely; no part of it will be read.
        """
        with self._lock:
            if self._is_torn:
                line = b"\n" + line
            written = os.write(self._descriptor, line)
            self._is_torn = written < len(line)
            if self._is_torn:
                raise OSError(f"{self.file}: only {written} of {len(line)} bytes were taken")

    def batch(self) -> Batch:
        """The next lines. An incomplete line, left by a process that died, is skipped."""
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
        """Note that everything before ``end`` is in the database; True if that is the whole file.

        In that case the file is truncated.
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
        """Write a line that the database rejects to a file for the operator to look at."""
        file = self.file.with_name(_SET_ASIDE)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        return file

    def close(self) -> None:
        """Delete the file if it is empty, otherwise leave it to the next process."""
        if self._end() == 0:
            self.file.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _end(self) -> int:
        with self._lock:
            return os.fstat(self._descriptor).st_size

    @classmethod
    def opened(cls, file: Path) -> Self | None:
        """Open or create the journal in a file; None if a running process has it."""
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(file, descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock for preparing a database and for opening its journals."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def opened_journals(folder: Path) -> tuple[Journal, list[Journal]]:
    """A new journal, and those that dead processes left; call it within :func:`alone`."""
    left = []
    for file in sorted(folder.glob(f"*{_ENDING}")):
        with suppress(FileNotFoundError):
            if journal := Journal.opened(file):
                left.append(journal)
    new = Journal.opened(folder / f"{os.getpid()}-{secrets.token_hex(4)}{_ENDING}")
    assert new is not None, "the file's name is unique"
    return new, left
