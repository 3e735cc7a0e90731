"""Every field of OpenAI's chat completion request: honoured, harmless, ignored, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from trigreason.gateway.chat.request import HARMLESS, ChatRequest
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

IGNORED = {
    *("audio", "frequency_penalty", "function_call", "logit_bias", "modalities"),
    *("moderation", "prediction", "presence_penalty", "top_logprobs", "verbosity"),
    "web_search_options",
}
"""Those of them that have no effect."""

OF_OTHERS = {
    *("cache_control", "cache_prompt", "min_p", "reasoning", "thinking"),
    *("thinking_token_budget", "top_k", "trigreason"),
}
"""Fields of other servers, and the gateway's own."""


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


def test_the_fields_are_openais_and_those_of_other_servers() -> None:
    understood = PUBLISHED - IGNORED - {"functions", "logprobs"}
    assert set(ChatRequest.model_fields) == understood | OF_OTHERS


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
        ("max_tokens", -1, "max_tokens", None),
        ("max_completion_tokens", -1, "max_tokens", None),
        ("top_k", 40, "top_k", 40),
        ("top_k", 0, "top_k", 0),
        ("top_k", -1, "top_k", 0),
        ("min_p", 0.05, "min_p", 0.05),
    ],
)
def test_honoured(field: str, value: object, name: str, understood: object) -> None:
    assert getattr(asked(**{field: value}), name) == understood


@pytest.mark.parametrize("field", sorted((PUBLISHED | OF_OTHERS) - {"model", "messages"}))
def test_null_is_as_if_it_were_not_there(field: str) -> None:
    assert asked(**{field: None}) == asked()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field, values in HARMLESS.items() for value in values),
        ("cache_control", {"type": "ephemeral"}),
        ("cache_prompt", True),
        ("frequency_penalty", 0.0),
        ("functions", []),
        ("logit_bias", {}),
        ("logprobs", False),
        ("metadata", {"a": "b"}),
        ("parallel_tool_calls", True),
        ("prompt_cache_retention", "24h"),
        ("safety_identifier", "s"),
        ("service_tier", "flex"),
        ("store", True),
        ("tool_choice", "auto"),
        ("thinking_token_budget", -1),
        ("tools", []),
        ("top_logprobs", 0),
        ("unknown", False),
        ("user", "u"),
        ("user", {"id": "u", "name": "Ann"}),
    ],
)
def test_harmless(field: str, value: object) -> None:
    assert asked(**{field: value}) == asked()


def test_a_cache_key_names_the_conversation() -> None:
    assert asked(prompt_cache_key="k").cache_key == "k"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("functions", [{"name": "f"}]),
        ("logprobs", True),
        ("guided_json", {"type": "object"}),
        ("grammar", "root ::= x"),
        ("structured_outputs", {"regex": "x"}),
        ("tool_choice", "any"),
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
        ({"max_tokens": -2}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -2}, "max_completion_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": float("inf")}, "top_p"),
        ({"top_k": -2}, "top_k"),
        ({"top_k": 2**31}, "top_k"),
        ({"min_p": 1.1}, "min_p"),
        ({"min_p": -0.1}, "min_p"),
        ({"thinking_token_budget": -2}, "thinking_token_budget"),
        ({"thinking": {"type": "much"}}, "thinking"),
        ({"reasoning": {"effort": "huge"}}, "reasoning"),
        ({"reasoning": {"max_tokens": -2}}, "reasoning"),
        ({"user": 5}, "user"),
        ({"user": "x" * 513}, "user"),
        ({"store": "perhaps"}, "store"),
        ({"seed": 2**63}, "seed"),
        ({"seed": -(2**63) - 1}, "seed"),
        ({"n": 0}, "n"),
        ({"stop": 5}, "stop"),
        ({"stream_options": {"include_usage": "perhaps"}}, "stream_options"),
        ({"trigreason": {"rho": 2}}, "trigreason"),
        ({"trigreason": {"unknown": 1}}, "trigreason"),
        ({"messages": [QUESTION | {"name": 1}]}, "messages"),
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
    ],
)
def test_values_that_do_not_go_together(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"audio": {"voice": "alloy", "format": "wav"}}, ("audio",)),
        ({"frequency_penalty": 0.5}, ("frequency_penalty",)),
        ({"function_call": {"name": "f"}}, ("function_call",)),
        ({"logit_bias": {"50256": -100}}, ("logit_bias",)),
        ({"logprobs": False, "top_logprobs": 3}, ("top_logprobs",)),
        ({"modalities": ["text", "audio"]}, ("modalities",)),
        ({"moderation": {"model": "x"}}, ("moderation",)),
        ({"prediction": {"type": "content", "content": "x"}}, ("prediction",)),
        ({"presence_penalty": -1}, ("presence_penalty",)),
        ({"verbosity": "low"}, ("verbosity",)),
        ({"web_search_options": {"search_context_size": "low"}}, ("web_search_options",)),
        ({"chat_template_kwargs": {"enable_thinking": False}}, ("chat_template_kwargs",)),
        ({"unknown": 1, "repeat_penalty": 1.1}, ("unknown", "repeat_penalty")),
        ({"stream_options": {"include_usage": True}}, ("stream_options",)),
        ({"stream": False, "stream_options": {"include_usage": False}}, ()),
        (
            {"stream": True, "stream_options": {"continuous_usage_stats": True}},
            ("stream_options.continuous_usage_stats",),
        ),
        ({"reasoning": {"summary": "auto"}}, ("reasoning.summary",)),
        ({"response_format": {"type": "text", "x": 1}}, ("response_format.x",)),
        (
            {"messages": [QUESTION | {"id": 1}, QUESTION | {"id": 2, "at": 3}]},
            ("messages.id", "messages.at"),
        ),
        ({"messages": [QUESTION | {"id": None, "cache_control": {"type": "ephemeral"}}]}, ()),
        ({"messages": [QUESTION | {"reasoning_details": [{"type": "x"}]}]}, ()),
    ],
)
def test_what_has_no_effect_is_ignored_and_told(
    fields: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    assert asked(**fields).ignored == ignored


THINKING: list[tuple[dict[str, Any], str | None, int | None]] = [
    ({"thinking_token_budget": 500}, None, 500),
    ({"thinking_token_budget": 0}, "none", None),
    ({"thinking_token_budget": -1, "reasoning_effort": "low"}, "low", None),
    ({"thinking": {"type": "enabled", "budget_tokens": 400}}, None, 400),
    ({"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, "low", None),
    ({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}, "none", None),
    ({"reasoning_effort": "none"}, "none", None),
    ({"reasoning_effort": "none", "thinking_token_budget": 500}, "none", None),
    ({"reasoning_effort": "none", "reasoning": {"effort": "high"}}, "none", None),
    ({"reasoning": {"effort": "none", "max_tokens": 300}}, "none", None),
    ({"reasoning": {"effort": "medium"}}, "medium", None),
    ({"reasoning": {"effort": "medium"}, "reasoning_effort": "low"}, "low", None),
    ({"reasoning": {"max_tokens": 300}}, None, 300),
    ({"reasoning": {"max_tokens": -1, "enabled": True}}, None, None),
    ({"reasoning": {"enabled": False}}, "none", None),
    ({"reasoning": {"max_tokens": 300}, "thinking_token_budget": 500}, None, 500),
    ({"reasoning": {"max_tokens": 300}, "trigreason": {"thinking_tokens": 9}}, None, 9),
]


@pytest.mark.parametrize(("fields", "effort", "tokens"), THINKING)
def test_how_much_to_think_in_the_forms_of_other_servers(
    fields: dict[str, Any], effort: str | None, tokens: int | None
) -> None:
    understood = asked(**fields)
    assert (understood.effort, understood.options.thinking_tokens) == (effort, tokens)
    assert understood.ignored == ()


def test_reasoning_is_left_out_only_if_a_client_excludes_it() -> None:
    assert not parsed(reasoning={"exclude": True}).shows_reasoning
    assert not parsed(thinking={"type": "adaptive", "display": "omitted"}).shows_reasoning
    assert parsed(thinking={"type": "adaptive", "display": "summarized"}).shows_reasoning
    assert parsed(reasoning={"exclude": False}).shows_reasoning
    assert parsed().shows_reasoning


def test_openrouters_reasoning_details_come_back_before_calls() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    details = [
        {"type": "reasoning.text", "text": "I "},
        {"type": "reasoning.encrypted", "data": "x"},
        {"type": "reasoning.text", "text": "add."},
    ]
    turn = {"role": "assistant", "content": None, "reasoning_details": details}
    called = asked(messages=[QUESTION, turn | {"tool_calls": [call]}]).messages[1]
    assert called.reasoning == "I add."
    assert asked(messages=[QUESTION, turn]).messages[1].reasoning == ""


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
