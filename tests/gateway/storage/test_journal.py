"""Journals: what is read back, from whole files and from damaged ones."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.gateway.storage import journal as journal_module
from trigreason.gateway.storage.journal import Journal, alone, opened_journals


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "1-a.jsonl"


def opened(file: Path) -> Journal:
    journal = Journal.opened(file)
    assert journal is not None
    return journal


def read_all(journal: Journal) -> list[bytes]:
    lines: list[bytes] = []
    is_empty = False
    while not is_empty:
        batch = journal.batch()
        lines += batch.lines
        is_empty = journal.advance(batch.end)
    return lines


def test_in_order_and_once(file: Path) -> None:
    journal = opened(file)
    written = [b"%d\n" % number for number in range(1000)]
    for line in written:
        journal.append(line)
    assert len(journal.batch().lines) == journal_module.BATCH_LINES
    assert read_all(journal) == written
    assert file.stat().st_size == 0
    journal.append(b"more\n")
    assert read_all(journal) == [b"more\n"]


def test_what_comes_while_a_batch_is_stored_is_next(file: Path) -> None:
    journal = opened(file)
    journal.append(b"one\n")
    batch = journal.batch()
    journal.append(b"two\n")
    assert not journal.advance(batch.end)
    assert file.read_bytes() == b"one\ntwo\n"
    assert read_all(journal) == [b"two\n"]


def test_lines_longer_than_a_batch(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BATCH_BYTES", 100)
    journal = opened(file)
    written = [b"a" * 1000 + b"\n", b"b\n", b"c" * 99 + b"\n", b"d" * 100 + b"\n"]
    for line in written:
        journal.append(line)
    assert read_all(journal) == written


@given(
    st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b.hex().encode() + b"\n")), st.data()
)
def test_a_torn_last_line_is_skipped(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("torn") / "1-a.jsonl"
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    file.write_bytes(whole[:cut])
    kept = [line for index, line in enumerate(lines) if len(b"".join(lines[: index + 1])) <= cut]
    assert read_all(opened(file)) == kept
    assert file.stat().st_size == 0


def test_a_full_disk_spoils_no_other_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(file)
    journal.append(b"one\n")
    write = os.write

    def partly(descriptor: int, line: bytes) -> int:
        return write(descriptor, line[:2])

    def not_at_all(descriptor: int, line: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for way in (partly, not_at_all, partly):
        with monkeypatch.context() as full:
            full.setattr(os, "write", way)
            with pytest.raises(OSError, match=r"bytes were taken|No space"):
                journal.append(b"lost\n")
    journal.append(b"two\n")
    lines = read_all(journal)
    assert lines[0] == b"one\n"
    assert lines[-1] == b"two\n"
    assert b"lost\n" not in lines


def test_a_closed_journal_is_left_only_if_there_is_something_in_it(file: Path) -> None:
    journal = opened(file)
    journal.append(b"one\n")
    journal.close()
    assert file.exists()
    journal = opened(file)
    assert read_all(journal) == [b"one\n"]
    journal.close()
    assert not file.exists()


def test_those_in_use_are_not_handed_out(tmp_path: Path) -> None:
    with alone(tmp_path):
        first, none_left = opened_journals(tmp_path)
        second, still_none = opened_journals(tmp_path)
    assert not none_left
    assert not still_none
    first.append(b"one\n")
    first.close()
    with alone(tmp_path):
        _, left = opened_journals(tmp_path)
    assert [each.file for each in left] == [first.file]
    second.close()
