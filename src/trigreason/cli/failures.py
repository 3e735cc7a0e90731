"""The output of a command that fails: one line, and the same in JSON."""

from __future__ import annotations

from typing import Any

from trigreason.cli.extra import NotInstalled
from trigreason.configuration import ConfigurationError
from trigreason.engines.base import EngineError
from trigreason.reasoning import Trace, trace_to_json

FAILURES = (EngineError, ValueError, OSError, NotInstalled)
"""Errors that end a command with exit code 1 and one line on stderr."""

_PATH_ERRORS = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def one_line(error: BaseException) -> str:
    """What happened, where, and what to do next."""
    if not isinstance(error, OSError):
        return " ".join(str(error).split())
    place = f"{error.filename}: " if error.filename else ""
    advice = ". Check the path." if isinstance(error, _PATH_ERRORS) else ""
    return " ".join(f"{place}{error.strerror or error}{advice}".split())


def failure_to_json(error: BaseException, trace: Trace | None = None) -> dict[str, Any]:
    """An error as ``--json`` prints it, with the trace so far if there is one."""
    values: dict[str, Any] = {"kind": type(error).__name__, "message": one_line(error)}
    if isinstance(error, EngineError):
        values |= {
            "what": error.what,
            "where": error.where,
            "advice": error.advice,
            "transient": error.transient,
            "retry_after": error.retry_after,
        }
    if isinstance(error, ConfigurationError):
        values["problems"] = [each.to_json() for each in error.problems]
    return {"error": values} | ({"trace": trace_to_json(trace)} if trace else {})
