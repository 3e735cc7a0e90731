"""What an error says decides what it is, however it comes."""

from __future__ import annotations

import pytest

from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    Prefix,
    PromptRefused,
)
from trigreason.engines.refusals import check_askable, refusal, retry_after, status_of
from trigreason.reasoning import Message

OVERFLOWS = [
    "This model's maximum context length is 4096 tokens. However, you requested 4203 tokens.",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "Input length (5330) exceeds model's maximum context length (4096).",
    "Input length 5393 exceeds the maximum allowed input length of 4040 tokens.",
    "Your input exceeds the model's context window. Please adjust your input and try again.",
    "prompt is too long: 5307 tokens > 4000 maximum",
    "Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output tokens)",
    "request (5185 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "Context size has been exceeded.",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    "the input length exceeds the context length",
    "Prompt contains 5000 tokens, too large for model with 4096 maximum context length",
]
RATES = [
    "Rate limit reached on tokens per min (TPM): Limit 30000, Requested 2000.",
    "Too many tokens, please wait before trying again.",
    "Your context window usage exceeded the limit of 30000 tokens per minute.",
]


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("words", OVERFLOWS)
def test_a_context_overflow(words: str, status: int) -> None:
    assert type(refusal(status, words, "there")) is ContextTooLong


@pytest.mark.parametrize("words", RATES)
def test_a_rate_is_no_overflow(words: str) -> None:
    assert type(refusal(429, words, "there")) is EngineBusy
    assert type(refusal(400, words, "there")) is EngineRefused


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (429, "", 429),
        ("429", "", 429),
        (" 401 ", "", 401),
        (None, "rate_limit_error", 429),
        ("rate_limit_exceeded", "None", 429),
        (None, "invalid_request_error", 400),
        ("nobody_knows", "", 500),
        (200, "", 500),
        ("9" * 99, "", 500),
        (True, "", 500),
        (None, "", 500),
    ],
)
def test_the_status_of_a_code(code: object, kind: str, status: int) -> None:
    assert status_of(code, kind) == status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("-5", 0.0), ("inf", None), ("nan", None), ("1e300", 86400.0), ("soon", None)],
)
def test_when_to_come_again(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_words_that_cannot_be_printed() -> None:
    error = refusal(500, "\ud83d broken", "there")
    assert type(error) is EngineFailed
    assert str(error).encode()


def test_nobody_answers_an_answer() -> None:
    asked = (Message("user", "2+2?"),)
    check_askable(Prefix(asked, "It is"), "there")
    with pytest.raises(PromptRefused) as refused:
        check_askable(Prefix((*asked, Message("assistant", "It is"))), "there")
    assert not refused.value.sent


HALF = "漢".encode()[:2].decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "prefix",
    [
        Prefix((Message("user", f"Read {HALF}"),)),
        Prefix((Message("system", HALF), Message("user", "2+2?"))),
        Prefix((Message("user", "2+2?"),), f"It is {HALF}"),
        Prefix((Message("user", "2+2?"),), "\ud83d"),
    ],
)
def test_half_a_character_is_not_sent(prefix: Prefix) -> None:
    with pytest.raises(PromptRefused, match="half a character") as refused:
        check_askable(prefix, "there")
    assert not refused.value.sent
    assert "\n" not in str(refused.value)
    assert str(refused.value).encode()
