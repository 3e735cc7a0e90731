"""Every field of OpenAI's chat completion request: honoured, harmless, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from trigreason.gateway.chat.request import NO_EFFECT, ChatRequest
from trigreason.gateway.errors import ApiError
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.reasoning import Message

QUESTION = {"role": "user", "content": "Why?"}

PUBLISHED = {
    *("audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
    *("max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model"),
    *("moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("reasoning_effort", "response_format", "safety_identifier", "seed"),
    *("service_tier", "stop", "store", "stream", "stream_options", "temperature"),
    *("tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
}
"""The parameters of OpenAI's reference."""


TEXT = {"type": "text", "text": "exact."}
BESIDE: dict[str, Any] = {
    "refusal": None,
    "annotations": [],
    "reasoning": "Hm.",
    "reasoning_content": "Hm.",
    "tool_calls": [],
    "audio": None,
    "function_call": None,
}
"""What clients send back of an earlier answer, and what is left out of the prompt."""


def parsed(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "bundled", "messages": [QUESTION]} | fields)


def asked(**fields: Any) -> GatewayRequest:
    return parsed(**fields).parsed()


def refused(**fields: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        asked(**fields)
    assert error.value.status == 400
    return error.value


def test_the_fields_are_openais_and_one_more() -> None:
    assert set(ChatRequest.model_fields) == PUBLISHED | {"trigreason"}


def test_a_request_that_says_nothing_more() -> None:
    assert asked() == GatewayRequest(messages=(Message("user", "Why?"),))


@pytest.mark.parametrize(
    ("field", "value", "name", "understood"),
    [
        ("stream", True, "streamed", True),
        ("max_tokens", 7, "max_tokens", 7),
        ("max_completion_tokens", 7, "max_tokens", 7),
        ("reasoning_effort", "low", "effort", "low"),
        ("temperature", 0, "temperature", 0.0),
        ("top_p", 0.5, "top_p", 0.5),
        ("seed", -5, "seed", -5),
        ("stop", "END", "stop", ("END",)),
        ("stop", ["a", "b"], "stop", ("a", "b")),
        ("stop", [], "stop", ()),
        ("n", 3, "choices", 3),
    ],
)
def test_honoured(field: str, value: object, name: str, understood: object) -> None:
    assert getattr(asked(**{field: value}), name) == understood


@pytest.mark.parametrize("field", sorted((PUBLISHED | {"trigreason"}) - {"model", "messages"}))
def test_null_is_as_if_it_were_not_there(field: str) -> None:
    assert asked(**{field: None}) == asked()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field, values in NO_EFFECT.items() for value in values),
        ("frequency_penalty", 0.0),
        ("metadata", {"a": "b"}),
        ("parallel_tool_calls", True),
        ("prompt_cache_retention", "24h"),
        ("safety_identifier", "s"),
        ("service_tier", "flex"),
        ("store", True),
        ("tool_choice", "auto"),
        ("tools", []),
        ("user", "u"),
        ("verbosity", "low"),
    ],
)
def test_harmless(field: str, value: object) -> None:
    assert asked(**{field: value}) == asked()


def test_a_cache_key_names_the_conversation() -> None:
    assert asked(prompt_cache_key="k").cache_key == "k"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("frequency_penalty", 0.5),
        ("function_call", {"name": "f"}),
        ("functions", [{"name": "f"}]),
        ("logit_bias", {"50256": -100}),
        ("logprobs", True),
        ("modalities", ["text", "audio"]),
        ("prediction", {"type": "content", "content": "x"}),
        ("presence_penalty", -1),
        ("tool_choice", "required"),
        ("top_logprobs", 3),
        ("web_search_options", {}),
    ],
)
def test_what_cannot_be_served_is_refused_by_its_name(field: str, value: object) -> None:
    error = refused(**{field: value})
    assert (error.param, error.code) == (field, "unsupported_parameter")
    assert error.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"model": ""}, "model"),
        ({"model": "x" * 501}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Why?"}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": float("inf")}, "top_p"),
        ({"seed": 2**63}, "seed"),
        ({"n": 0}, "n"),
        ({"stop": 5}, "stop"),
        ({"stream_options": {"include_everything": True}}, "stream_options"),
        ({"trigreason": {"rho": 2}}, "trigreason"),
        ({"unknown": None}, "unknown"),
        ({"messages": [QUESTION | {"unknown": 1}]}, "messages"),
    ],
)
def test_values_that_make_no_sense(fields: dict[str, Any], at: str) -> None:
    with pytest.raises(ValidationError) as error:
        parsed(**fields)
    assert error.value.errors()[0]["loc"][0] == at


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stop": list("abcde")}, "stop"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": False, "stream_options": {}}, "stream_options"),
    ],
)
def test_values_that_do_not_go_together(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


def test_the_smaller_limit_counts() -> None:
    assert asked(max_tokens=5, max_completion_tokens=9).max_tokens == 5
    assert asked(max_tokens=9, max_completion_tokens=5).max_tokens == 5


def test_usage_in_a_stream_is_asked_for() -> None:
    assert parsed(stream=True, stream_options={"include_usage": True}).includes_usage
    assert not parsed(stream=True, stream_options={"include_obfuscation": True}).includes_usage
    assert not parsed(stream=True).includes_usage


def test_a_conversation_in_all_its_forms() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be "}, TEXT]},
        {"role": "user", "content": "Why?", "name": "ann"},
        {"role": "assistant", "content": "So."} | BESIDE,
        {"role": "assistant", "content": None},
        {"role": "user", "content": "👍 é\u0301\0"},
    ]
    assert asked(messages=messages).messages == (
        Message("system", "Be brief."),
        Message("system", "Be exact."),
        Message("user", "Why?"),
        Message("assistant", "So."),
        Message("assistant", ""),
        Message("user", "👍 é\u0301\0"),
    )


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "function", "content": "5", "name": "f"}, "role"),
        ({"role": "boss", "content": "5"}, "role"),
        ({"role": "assistant", "content": "", "tool_calls": [{"id": "x"}]}, "tool_calls[0]"),
        ({"role": "user"}, "content"),
        ({"role": "user", "content": None}, "content"),
        ({"role": "user", "content": [{"text": "no type"}]}, "content[0]"),
        ({"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {}}]}, "content[1]"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "content[0]"),
        ({"role": "user", "content": [{"type": "file", "file": {}}]}, "content[0]"),
        ({"role": "user", "content": [{"type": "x" * 9999}]}, "content[0]"),
        ({"role": "user", "content": [{"type": "text"}]}, "content[0].text"),
        ({"role": "user", "content": [{"type": "text", "text": 5}]}, "content[0].text"),
        ({"role": "user", "content": "\ud83d"}, "content"),
        ({"role": "user", "content": [{"type": "text", "text": "a\udc00"}]}, "content[0].text"),
    ],
)
def test_messages_that_cannot_be_read(message: dict[str, Any], param: str) -> None:
    error = refused(messages=[QUESTION, message])
    assert error.param == f"messages[1].{param}"
    assert len(error.message) < 200
    error.message.encode()
