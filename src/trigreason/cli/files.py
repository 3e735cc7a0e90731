"""Reads questions and traces from files, and writes traces."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from trigreason.cli.options import WrongUse
from trigreason.reasoning import Trace, load_trace, make_method, totals, trace_to_json


def read_text(name: str) -> str:
    """The UTF-8 text of a file, or of standard input for ``-``.

    Raises:
        ValueError: it is not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return (sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()).decode(
            "utf-8-sig"
        )
    except UnicodeDecodeError as error:
        place = "standard input" if name == "-" else name
        raise ValueError(f"{place}: is no UTF-8 text (byte {error.start})") from error


def read_trace(name: str) -> Trace:
    """A recorded trace, checked far enough to be shown and replayed.

    Raises:
        ValueError: the file is no trace, or a damaged one.
        OSError: it cannot be read.
    """
    place = "standard input" if name == "-" else name
    text = read_text(name)
    try:
        trace = load_trace(text)
        make_method(trace.method, trace.thresholds)
        totals(trace)
    except ValueError as error:
        raise ValueError(f"{place}: {error}. Give a file that solve --trace wrote.") from error
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{place}: this trace is damaged ({error}).") from error
    return trace


def check_writable(path: Path, flag: str = "--trace", what: str = "trace") -> None:
    """Raises WrongUse, before any work is done, where the file of a flag cannot be written."""
    if path.is_dir():
        raise WrongUse(f"{path} is a folder; {flag} wants a file")
    if not path.parent.is_dir():
        raise WrongUse(f"there is no folder {path.parent} for the {what}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WrongUse(f"{path} cannot be written; choose another place for the {what}")


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace, whole or not at all."""
    text = json.dumps(trace_to_json(trace), ensure_ascii=False) + "\n"
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")  # a pipe or a device is not to be replaced
        return
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
