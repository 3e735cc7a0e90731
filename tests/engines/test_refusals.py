"""From a status and a body to a typed error, and what a refusal tells besides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
)
from trigreason.engines.refusals import (
    alternatives_told,
    no_stream,
    refusal,
    retry_after,
    room_told,
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (
            400,
            '{"error": {"type": "exceed_context_size_error", "message": "too long"}}',
            ContextTooLong,
            "too long",
        ),
        (
            400,
            '{"object": "error", "message": "This model\'s maximum context length is 9 tokens"}',
            ContextTooLong,
            "maximum context length",
        ),
        (400, '{"error": {"message": "top_p"}}', EngineRefused, "top_p"),
        (403, '{"error": "bad key"}', EngineRefused, "bad key"),
        (404, "<html>\n<b>Not\nFound</b></html>", EngineRefused, "<b>Not Found</b>"),
        (422, '{"detail": [1]}', EngineRefused, "detail"),
        (429, "", EngineBusy, "no message"),
        (500, "[1]", EngineFailed, "500"),
        (503, "null", EngineFailed, "503"),
        (502, "x" * 5000, EngineFailed, "502"),
    ],
)
def test_refusals(status: int, body: str, kind: type[EngineError], told: str) -> None:
    error = refusal(status, body, "m at there")
    assert type(error) is kind
    line = str(error)
    assert line.startswith("m at there: ")
    assert told in line
    assert "\n" not in line
    assert len(line) < 500


@pytest.mark.parametrize(
    ("message", "kind", "room"),
    [
        # vLLM, now: what no prompt leaves is refused, all else is cut down
        (
            "max_tokens=10240 cannot be greater than max_model_len=1024. Please request fewer "
            "output tokens. (parameter=max_tokens, value=10240)",
            ContextTooLong,
            1024,
        ),
        # vLLM, before
        (
            "This model's maximum context length is 2048 tokens. However, you requested 10283 "
            "tokens (43 in the messages, 10240 in the completion). Please reduce the length.",
            ContextTooLong,
            2004,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 10240. This model's maximum "
            "context length is 2048 tokens and your request has 43 input tokens "
            "(10240 > 2048 - 43).",
            ContextTooLong,
            2004,
        ),
        (
            "You passed 43 input tokens and requested 10240 output tokens. However, the model's "
            "context length is only 2048 tokens",
            ContextTooLong,
            2004,
        ),
        # SGLang
        (
            "Requested token count exceeds the model's maximum context length of 2048 tokens. You "
            "requested a total of 10283 tokens: 43 tokens from the input messages and 10240 tokens "
            "for the completion.",
            ContextTooLong,
            2004,
        ),
        # Together
        (
            "`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 43 `inputs` tokens and "
            "8192 `max_new_tokens`",
            ContextTooLong,
            4053,
        ),
        # the prompt alone fills the context
        (
            "This model's maximum context length is 1024 tokens. However, your prompt contains at "
            "least 1025 input tokens, which exceeds this limit",
            ContextTooLong,
            None,
        ),
        (
            "This model's maximum context length is 1024 tokens. However, your prompt contains "
            "18058 characters (more than 13312 characters, which is the upper bound for 1024 input "
            "tokens).",
            ContextTooLong,
            None,
        ),
        (
            "The input (3000 tokens) is longer than the model's context length (2048 tokens).",
            ContextTooLong,
            None,
        ),
        ("The prompt is too long: 5000, model maximum context length: 4096", ContextTooLong, None),
        # something else
        ("top_k must be -1 (disable) or at least 1, got 0.", EngineRefused, None),
        ("top_logprobs must be <= 5", EngineRefused, None),
    ],
)
def test_the_room_that_a_refusal_names(
    message: str, kind: type[EngineRefused], room: int | None
) -> None:
    error = refusal(400, message, "m at there")
    assert type(error) is kind
    assert room_told(error) == room


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ("Requested sample logprobs of 20, which is greater than max allowed: 5", 5),
        ("top_logprobs must be <= 5", 5),
        ("Invalid 'logprobs': integer above maximum value of 5, got 20.", 5),
        ("qwen2.5-7b-v3: logprobs are limited here", 1),
        ("logprobs must be 0", 0),
        ("max_tokens must be at least 1", None),
    ],
)
def test_the_alternatives_that_a_refusal_allows(message: str, most: int | None) -> None:
    error = refusal(400, message, "m at there")
    assert isinstance(error, EngineRefused)
    assert alternatives_told(error, 20) == most


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("<html>\nSign in</html>", EngineFailed, "no stream (<html> Sign in</html>)"),
        ("", EngineFailed, "no stream (no message)"),
        ('{"choices": []}', EngineFailed, "no stream"),
        ('{"error": "out of credit"}', EngineFailed, "out of credit"),
        ('{"error": {"message": "slow down", "code": 429}}', EngineBusy, "slow down"),
        ('{"object": "error", "message": "no", "code": 400}', EngineRefused, "no"),
    ],
)
def test_a_success_that_is_no_stream(text: str, kind: type[EngineError], told: str) -> None:
    error = no_stream(text, "m at there")
    assert type(error) is kind
    assert told in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2), ("0.5", 0.5), ("-3", 0), ("", None), ("soon", None)]
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_retry_after_as_a_date() -> None:
    now = datetime.now(UTC)
    later = retry_after({"Retry-After": format_datetime(now + timedelta(seconds=90))})
    assert later == pytest.approx(90, abs=3)
    assert retry_after({"Retry-After": format_datetime(now - timedelta(days=1))}) == 0
    assert retry_after({}) is None
