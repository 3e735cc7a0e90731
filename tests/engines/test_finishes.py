"""Why a server says that it ended a text."""

from __future__ import annotations

import pytest

from trigreason.engines.base import EngineFailed, EngineRefused, Finish
from trigreason.engines.finishes import finish_of, is_told


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        *((word, Finish.STOP) for word in ("stop", "STOP", "eos_token", "end_turn", " eos ")),
        *((word, Finish.STOP) for word in ("stop_sequence", "repetition")),
        *((word, Finish.LENGTH) for word in ("length", "LENGTH", "max_tokens", "MAX_TOKENS")),
        *((word, Finish.LENGTH) for word in ("model_length", "token_limit", "time_limit")),
        ("nobody_knows", Finish.LENGTH),
    ],
)
def test_ends(word: str, finish: Finish) -> None:
    assert finish_of(word, "there") is finish


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, EngineFailed) for word in ("abort", "error", "cancelled", "load", "unload")),
        ("insufficient_system_resource", EngineFailed),
        *((word, EngineRefused) for word in ("content_filter", "SAFETY", "tool_calls")),
    ],
)
def test_failures(word: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        finish_of(word, "there")


def test_what_says_nothing() -> None:
    assert not any(map(is_told, [None, "", " ", "null", "None"]))
    assert is_told("stop")
