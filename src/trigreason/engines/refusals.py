"""From an error status and the body that came with it to a typed error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    NoLogprobs,
)

FAILED_FINISHES: dict[str, tuple[type[EngineError], str, str]] = {
    "abort": (EngineFailed, "the server gave the request up", "See the server's log."),
    "error": (EngineFailed, "the server gave the request up", "See the server's log."),
    "content_filter": (
        EngineRefused,
        "the provider's content filter cut the text off",
        "Ask in other words, or ask another provider.",
    ),
    "insufficient_system_resource": (  # DeepSeek
        EngineFailed,
        "the provider ran out of resources",
        "Try again later.",
    ),
    "tool_calls": (
        EngineRefused,
        "the model called a tool, and there is none",
        "Use a model that answers in text.",
    ),
}
"""Finish reasons that are no end of a text, and the error that each is."""

_CONTEXT = re.compile(
    r"(?:context (?:length|window)|max_model_len|max_seq_len)\D{0,20}?(\d+)"
    r"|max_new_tokens\W+must be <= (\d+)",
    re.IGNORECASE,
)
_PROMPT = re.compile(
    r"(\d+) (?:tokens )?(?:in|from) the (?:messages|prompt|input)"
    r"|(\d+) (?:input|prompt) tokens|(\d+) `inputs` tokens",
    re.IGNORECASE,
)
_ONLY_MAX_TOKENS = re.compile(r"max_tokens=\d+ cannot be greater than", re.IGNORECASE)


def status_of(code: object) -> int:
    """The status that an error inside a success stands for; 500 where its code is none."""
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def refusal(
    status: int, text: str, where: str, *, kind: str = "", after: float | None = None
) -> EngineError:
    """The typed error for a status and a body; ``after`` is when to try again, in seconds.

    ``kind`` is the server's own word for the error, where it is known apart from the body.
    """
    message, told_kind = _error_message(text)
    kind = kind or told_kind
    if kind == "exceed_context_size_error" or _is_about_context(message):
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


def no_stream(text: str, where: str) -> EngineError:
    """The typed error for a body that came with a success, and is no stream."""
    body = _parsed(text)
    if isinstance(body, dict) and ("error" in body or body.get("object") == "error"):
        error = body.get("error")
        code = (error if isinstance(error, dict) else body).get("code")
        return refusal(status_of(code), text, where)
    return EngineFailed(
        f"the answer is no stream ({one_line(text)})",
        where,
        "Is this the address of a model, and does nothing in between collect streams?",
    )


def room_told(error: EngineRefused) -> int | None:
    """The ``max_tokens`` that would have fitted, as far as the server's own words tell; at least 1.

    None where they do not, and where the prompt alone fills the context.
    """
    context = _first_number(_CONTEXT, error.what)
    if context is None:
        return None
    if _ONLY_MAX_TOKENS.search(error.what):
        return context
    prompt = _first_number(_PROMPT, error.what)
    if prompt is None:
        return None
    room = context - prompt - 1  # SGLang wants one token to spare
    return room if room > 0 else None


def no_logprobs(where: str) -> NoLogprobs:
    """Token probabilities were asked for, and text came without."""
    return NoLogprobs(
        "the model returns no token probabilities",
        where,
        "Ask `trigreason doctor` what to change on the server, or switch the cognitive offload off "
        "(rho = 1).",
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


def _is_about_context(message: str) -> bool:
    return bool(_CONTEXT.search(message)) or "context length" in message.lower()


def _first_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return None if found is None else int(next(filter(None, found.groups())))


def _error_message(text: str) -> tuple[str, str]:
    """The message and the type in an error body, of whatever form."""
    body = _parsed(text)
    error = body.get("error", body) if isinstance(body, dict) else text
    if isinstance(error, dict):
        return one_line(str(error.get("message", error))), str(error.get("type", ""))
    if isinstance(body, dict) and isinstance(error, str) and isinstance(_parsed(error), dict):
        return _error_message(error)  # Ollama passes on what its runner said, as text
    return one_line(str(error)), ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
