"""Makes typed errors from error statuses and response bodies."""

from __future__ import annotations

import json
import math
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
    NoReward,
    Prefix,
    PromptRefused,
)

KINDS = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "too_many_requests": 429,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "overloaded_error": 503,
    "unavailable_error": 503,
}
"""The servers' names of errors, and the status of each."""

_OVERFLOW = re.compile(
    r"context (?:length|size|window)|maximum context|max_model_len|max_seq_len"
    r"|(?:prompt|input) (?:is )?too long|maximum allowed input length|max_new_tokens\W+must be <=",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate limit|per (?:min(?:ute)?|hour|day|second)\b|too many (?:requests|tokens)", re.I
)
TOO_LONG = ("exceed_context_size_error", "context_length_exceeded")
LONGEST_WORD = 86400.0
"""The longest time to wait, in seconds, that is taken from a server: a day."""

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
_WHOLE_NUMBER = re.compile(r"(?<![\w.-])\d{1,9}(?![\w.]*\w)")
_ONLY_MAX_TOKENS = re.compile(r"max_tokens=\d+ cannot be greater than", re.IGNORECASE)


def status_of(code: object, kind: str = "") -> int:
    """The status of an error in a response with a success status; 500 if unknown.

    ``code`` may be a number, a number as text, or a word like ``kind``.
    """
    words = [str(word).strip().lower() for word in (code, kind)]
    if words[0].isdecimal() and 400 <= int(words[0][:9]) < 600:
        return int(words[0])
    return next((KINDS[word] for word in words if word in KINDS), 500)


def refusal(
    status: int, text: str, where: str, *, kind: str = "", after: float | None = None
) -> EngineError:
    """The typed error for a status and a body; ``after`` is when to try again, in seconds.

    ``kind`` is the server's name of the error, if it is known apart from the body.
    """
    message, kind_in_body = _error_message(text)
    kind = kind or kind_in_body
    if status != 429 and (kind in TOO_LONG or _is_about_context(message)):
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
    """The typed error for a body that came with a success status but is no stream."""
    body = _parsed(text)
    if isinstance(body, dict) and (body.get("error") or body.get("object") == "error"):
        error = body.get("error")
        fields = error if isinstance(error, dict) else body
        return refusal(status_of(fields.get("code"), str(fields.get("type"))), text, where)
    return EngineFailed(
        f"the answer is no stream ({one_line(text)})",
        where,
        "Is this the address of a model, and does nothing in between collect streams?",
    )


def room_told(error: EngineRefused) -> int | None:
    """The ``max_tokens`` that would have fitted, from the server's error message; at least 1.

    None if the message does not say, or if the prompt alone fills the context.
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


def alternatives_told(error: EngineError, requested: int) -> int | None:
    """How many alternatives the server gives at most, from its error message; at least 0.

    None if the message is about something else. 1 if it does not say how many.
    """
    if "logprobs" not in error.what.lower():
        return None
    numbers = (int(number) for number in _WHOLE_NUMBER.findall(error.what))
    return max((number for number in numbers if number < requested), default=1)


def check_askable(prefix: Prefix, where: str) -> None:
    """Check that a model can continue this prefix at all.

    Raises:
        PromptRefused: the last message is the assistant's, so there is nothing to answer; or a
            text has a lone surrogate, which JSON in UTF-8 cannot hold: servers answer it with
            400, with 500, or as if the text were different.
    """
    if prefix.messages and prefix.messages[-1].role == "assistant":
        raise PromptRefused(
            "the conversation ends with a message of the assistant",
            where,
            "Leave that message out, or ask something after it.",
            sent=False,
        )
    for text in (*(message.content for message in prefix.messages), prefix.written):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PromptRefused(
                "the conversation holds half a character (a lone surrogate)",
                where,
                "Send texts that are UTF-8.",
                sent=False,
            ) from error


def no_logprobs(where: str, *, sent: bool = True) -> NoLogprobs:
    """The error for text without the token probabilities needed, known before or after sending."""
    return NoLogprobs(
        "the model returns no token probabilities",
        where,
        "Ask `trigreason doctor` what to change on the server, or choose a method that needs none, "
        "such as TrigReason without its offload (rho = 1).",
        sent=sent,
    )


def no_alternatives(where: str, method: str) -> NoLogprobs:
    """The error for tokens without the logprobs of other likely ones, which ``method`` needs."""
    return NoLogprobs(
        f"the SRM's tokens come without the logprobs of other likely tokens, and {method} needs "
        "them",
        where,
        "Set alternatives of the pair above 0; if it is, serve the SRM on a server that returns "
        "them (vLLM, SGLang, llama.cpp, Ollama).",
    )


def no_scorer(pair: str, method: str) -> NoReward:
    """The error for a pair without the scorer that ``method`` needs; nothing was sent."""
    return NoReward(
        f"{method} needs a scorer that rates steps, and the pair has none",
        pair,
        "Give it a process reward model: a table [pairs.NAME.scorer] with its url, or for solve "
        "--scorer URL.",
        sent=False,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in a ``Retry-After`` header, a number or a date; None if there is none."""
    value = headers.get("Retry-After", "").strip()
    try:
        return _waited(float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return _waited((when - datetime.now(UTC)).total_seconds())


def _waited(seconds: float) -> float | None:
    return min(max(0.0, seconds), LONGEST_WORD) if math.isfinite(seconds) else None


def one_line(text: str) -> str:
    """A server's text, shortened to one line for an error."""
    readable = text.encode("utf-8", "replace").decode()
    return " ".join(readable.split())[:300] or "no message"


def _is_about_context(message: str) -> bool:
    return bool(_OVERFLOW.search(message)) and not _RATE.search(message)


def _first_number(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return None if match is None else int(next(filter(None, match.groups())))


def _error_message(text: str) -> tuple[str, str]:
    """The message and the type in an error body of any form."""
    body = _parsed(text)
    error = body.get("error", body) if isinstance(body, dict) else text
    if isinstance(error, dict):
        return one_line(str(error.get("message", error))), str(error.get("type", ""))
    if isinstance(body, dict) and isinstance(error, str) and isinstance(_parsed(error), dict):
        return _error_message(error)  # Ollama passes on its runner's error as text
    return one_line(str(error)), ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
