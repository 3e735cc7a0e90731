"""Rows of published data with their places in the source."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One record and its place in the source (``aime24.jsonl, line 3``)."""

    values: Mapping[str, Any]
    where: str

    def require(self, *keys: str) -> None:
        """Raise ValueError unless all keys exist; the message lists the keys found."""
        if not all(key in self.values for key in keys):
            found = ", ".join(map(repr, self.values)) or "none"
            expected = ", ".join(map(repr, keys))
            raise ValueError(f"{self.where}: expected the keys {expected}; found {found}")

    def text(self, key: str) -> str:
        """A key's text, without white space around it; an integer is written in digits.

        Raises:
            ValueError: the value is empty or of another type.
        """
        value = self.values[key]
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise self.wrong(f"{key!r} is no text: {value!r}")
        if not value.strip():
            raise self.wrong(f"{key!r} is empty")
        return value.strip()

    def wrong(self, what: str) -> ValueError:
        """The error that says what is wrong, and where."""
        return ValueError(f"{self.where}: {what}")


def jsonl_rows(path: Path) -> Iterator[SourceRow]:
    """The objects of a file with one JSON object a line.

    Raises:
        ValueError: a line is no JSON object, or the file is no UTF-8 text.
    """
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            try:
                values = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{where}: expected one JSON object a line: {error}") from None
            if not isinstance(values, dict):
                raise ValueError(f"{where}: expected a JSON object, found {line[:40]!r}")
            yield SourceRow(values, where)


def csv_rows(path: Path) -> Iterator[SourceRow]:
    """The records of a CSV file with a header; quoted fields may run over lines.

    Raises:
        ValueError: the file is no CSV, or no UTF-8 text.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), restval="", strict=True)
    try:
        reader.fieldnames  # noqa: B018 - reads the header, so that line_num is its last line
        line = reader.line_num + 1
        for values in reader:
            values.pop(None, None)  # fields beyond the header
            yield SourceRow(values, f"{path}, line {line}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: no CSV: {error}") from None


def example_rows(path: Path) -> Iterator[SourceRow]:
    """The examples of a BIG-Bench Hard file: ``{"examples": [{...}, ...]}``.

    Raises:
        ValueError: the file has another form, or is no UTF-8 text.
    """
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: no JSON: {error}") from None
    examples = content.get("examples") if isinstance(content, dict) else None
    if not isinstance(examples, list):
        found = ", ".join(map(repr, content)) if isinstance(content, dict) else repr(content)[:40]
        raise ValueError(f"{path}: expected the key 'examples' with a list; found {found}")
    for number, values in enumerate(examples, start=1):
        where = f"{path}, example {number}"
        if not isinstance(values, dict):
            raise ValueError(f"{where}: expected a JSON object, found {values!r:.40}")
        yield SourceRow(values, where)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: no UTF-8 text, at byte {error.start}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
