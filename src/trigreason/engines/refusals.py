"""From an error status and the body that came with it to a typed error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
)


def refusal(status: int, text: str, where: str, *, after: float | None = None) -> EngineError:
    """The typed error for a status and a body; ``after`` is when to try again, in seconds."""
    message, kind = _error_message(text)
    if kind == "exceed_context_size_error" or "context length" in message.lower():
        return ContextTooLong(
            f"the question and the thinking do not fit into the context ({message})",
            where,
            "Ask a shorter question, lower the thinking budget, or serve a larger context.",
        )
    if status in (401, 403):
        return EngineRefused(f"the key was not accepted ({message})", where, "Check the API key.")
    if status == 404:
        return EngineRefused(
            f"not found ({message})", where, "Check the model's name and that the URL ends in /v1."
        )
    if status in (408, 425, 429):
        return EngineBusy(
            f"the server is busy, or the key's rate is used up ({message})",
            where,
            "Try again later, or ask for a higher rate.",
            retry_after=after,
        )
    if status < 500:
        return EngineRefused(
            f"the server refused the request ({message})", where, "See the server's log."
        )
    return EngineFailed(
        f"the server failed with status {status} ({message})",
        where,
        "See the server's log.",
        retry_after=after,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a ``Retry-After`` header names, as a number or as a date; None without."""
    value = headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def one_line(text: str) -> str:
    """Text of a server, fit for an error of one line."""
    return " ".join(text.split())[:300] or "no message"


def _error_message(text: str) -> tuple[str, str]:
    """The message and the type in an error body, of whatever form."""
    try:
        body = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        body = None
    error = body.get("error", body) if isinstance(body, dict) else text
    if isinstance(error, dict):
        return one_line(str(error.get("message", error))), str(error.get("type", ""))
    return one_line(str(error)), ""
