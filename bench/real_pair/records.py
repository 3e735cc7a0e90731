"""The runs that there are, in files that only grow.

``NAME.jsonl`` has one run of a data set a line, ``settings.jsonl`` what each setting is and
``machines.jsonl`` on what the runs were made, each under a digest that the runs name. A run is
known by its question, the digest of what was asked, and its setting.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from filelock import FileLock, Timeout

from bench.real_pair.questions import Part

RESULTS = Path(__file__).parents[1] / "results" / "real_pair"
SETTINGS = "settings"
MACHINES = "machines"


class Key(NamedTuple):
    question: str
    asked: str
    setting: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One run. ``trace`` is packed; ``right`` and ``given`` are as it was graded when it ran."""

    question: str
    asked: str
    part: Part
    row: str
    setting: str
    machine: str
    right: bool
    given: str | None
    trace: dict[str, Any]

    @property
    def key(self) -> Key:
        return Key(self.question, self.asked, self.setting)


class Told(msgspec.Struct, frozen=True):
    """What a digest stands for."""

    digest: str
    of: dict[str, Any]


def digest(values: Mapping[str, Any]) -> str:
    """48 bits of plain values, in hexadecimal."""
    told = json.dumps(values, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


class Records:
    """The runs in a folder, for reading; :func:`writing` gives one that can be added to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, dict[Key, Record]] = {}
        self._told: dict[str, dict[str, dict[str, Any]]] = {}

    def runs(self, data: str) -> list[Record]:
        """A data set's runs in the order in which they were made; the first of equals counts.

        Raises:
            ValueError: a whole line is no run.
        """
        return list(self._runs(data).values())

    def get(self, data: str, key: Key) -> Record | None:
        return self._runs(data).get(key)

    def told(self, kind: str) -> dict[str, dict[str, Any]]:
        """What the digests of settings or of machines stand for."""
        if kind not in self._told:
            every: Iterator[Told] = decoded(self._file(kind), Told)
            self._told[kind] = {each.digest: each.of for each in every}
        return self._told[kind]

    def _runs(self, data: str) -> dict[Key, Record]:
        if data not in self._known:
            self._known[data] = {}
            for each in decoded(self._file(data), Record):
                self._known[data].setdefault(each.key, each)
        return self._known[data]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"


class Ledger(Records):
    """Records that can be added to; see :func:`writing`."""

    def add(self, data: str, record: Record) -> None:
        """Keep a run; it is on disk on return."""
        append(self._file(data), record)
        self._runs(data)[record.key] = record

    def tell(self, kind: str, of: Mapping[str, Any]) -> str:
        """Keep what a digest stands for, and give the digest."""
        name = digest(of)
        if name not in self.told(kind):
            append(self._file(kind), Told(name, dict(of)))
            self.told(kind)[name] = dict(of)
        return name


@contextmanager
def writing(folder: Path) -> Iterator[Ledger]:
    """The records in a folder, for this process alone; the lock ends with it at the latest.

    Raises:
        ValueError: another process writes there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield Ledger(folder)
    except Timeout:
        raise ValueError(
            f"another run writes into {folder}; wait for its end, or name another folder (--out)"
        ) from None


def append(file: Path, value: msgspec.Struct) -> None:
    """Add a line, in the place of half a one that a process left when it was killed."""
    with file.open("ab+") as out:
        out.truncate(_end_of_lines(file))
        out.write(msgspec.json.encode(value) + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _end_of_lines(file: Path) -> int:
    """Where the last whole line ends, in bytes."""
    return file.read_bytes().rfind(b"\n") + 1


def decoded(file: Path, kind: Any) -> Iterator[Any]:
    """The whole lines of a file, each one a ``kind``; nothing where there is no file.

    Raises:
        ValueError: a line is of another kind.
    """
    if not file.exists():
        return
    for number, line in enumerate(file.read_bytes().split(b"\n")[:-1], start=1):
        try:
            yield msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError as error:
            raise ValueError(f"{file}, line {number}: has another form ({error})") from error
