"""The finish reasons of servers and their meaning."""

from __future__ import annotations

import re

from trigreason.engines.base import EngineError, EngineFailed, EngineRefused, Finish

_NONE = frozenset({"", "null", "none"})
_STOPS = frozenset(
    {
        *("stop", "eos", "eos_token", "end_turn", "end_of_turn", "end_of_text", "end", "eot"),
        *("stop_sequence", "stop_string", "stop_word", "stop_token", "matched_stop"),
        *("complete", "completed", "done", "finished", "repetition"),
    }
)
_FAILED = re.compile(r"abort|error|cancel|fail|^(?:un)?load$")
_FILTERED = re.compile(r"filter|safety|recitation|blocklist|prohibited|refusal|moderat")


def is_told(reason: str | None) -> bool:
    """Whether a finish reason says anything; some servers send "" or "null" in every event."""
    return reason is not None and reason.strip().lower() not in _NONE


def finish_of(reason: str, where: str) -> Finish:
    """The meaning of a finish reason.

    An unknown word counts as a limit: this neither reports a success that may be none, nor fails
    a text that may be whole.

    Raises:
        EngineError: the reason is a failure.
    """
    word = reason.strip().lower()
    if word in _STOPS:
        return Finish.STOP
    if (failure := _failure(word, where)) is not None:
        raise failure
    return Finish.LENGTH


def _failure(word: str, where: str) -> EngineError | None:
    if _FAILED.search(word):
        return EngineFailed("the server gave the request up", where, "See the server's log.")
    if _FILTERED.search(word):
        return EngineRefused(
            "the provider's content filter cut the text off",
            where,
            "Ask in other words, or ask another provider.",
        )
    if word == "insufficient_system_resource":  # DeepSeek
        return EngineFailed("the provider ran out of resources", where, "Try again later.")
    if word in ("tool_calls", "tool_call", "tool_use", "function_call"):
        return EngineRefused(
            "the model called a tool, and there is none", where, "Use a model that answers in text."
        )
    return None
