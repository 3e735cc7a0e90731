"""What may be asked of ``/v1/responses``, and how it is understood."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.gateway.responses.states import CALL, OUTPUT, TIME, state
from trigreason.gateway.errors import ApiError
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.reasoning import Message


def request(**fields: Any) -> ResponsesRequest:
    return ResponsesRequest.model_validate({"model": "bundled", "input": "hello"} | fields)


def refusal(**fields: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        request(**fields).parsed(state())
    return refused.value


def test_a_text_is_a_turn_of_the_user() -> None:
    assert request().parsed(state()).messages == (Message("user", "hello"),)


def test_instructions_are_a_system_message_in_front() -> None:
    asked = request(instructions="be brief").parsed(state())
    assert asked.messages == (Message("system", "be brief"), Message("user", "hello"))


def test_a_conversation_is_read_and_its_earlier_reasoning_left_out() -> None:
    thought = {"type": "reasoning_text", "text": "hm"}
    said = {"type": "output_text", "text": "4", "annotations": []}
    items = [
        {"role": "developer", "content": "be brief"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "2+2?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [thought]},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [said, said],
        },
        {"role": "user", "content": "3+3?"},
    ]
    assert request(input=items).parsed(state()).messages == (
        Message("system", "be brief"),
        Message("user", "2+2?"),
        Message("assistant", "44"),
        Message("user", "3+3?"),
    )


@pytest.mark.parametrize(
    ("items", "field"),
    [
        (5, "input"),
        (None, "input"),
        ([], "input"),
        ("\ud800", "input"),
        (["hello"], "input[0]"),
        ([{"type": "web_search_call", "id": "ws_1"}], "input[0].type"),
        ([{"type": ["message"], "role": "user", "content": "x"}], "input[0].type"),
        ([{"role": "user", "content": "x"}, {"role": "tool", "content": "x"}], "input[1].role"),
        ([{"role": ["user"], "content": "x"}], "input[0].role"),
        ([{"role": "user"}], "input[0].content"),
        (
            [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}],
            "input[0].content[0]",
        ),
        (
            [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}],
            "input[0].content[0]",
        ),
    ],
)
def test_an_item_that_cannot_be_read_is_named(items: Any, field: str) -> None:
    error = refusal(input=items)
    assert (error.status, error.param) == (400, field)
    error.message.encode()  # what a client sent in half characters is not sent back


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", True),
        ("conversation", "conv_1"),
        ("previous_response_id", "resp_1"),
        ("prompt", {"id": "pmpt_1"}),
        ("response_format", {"type": "json_object"}),
        ("guided_choice", ["a", "b"]),
        ("tool_choice", "any"),
        ("tool_choice", {"type": "web_search"}),
        ("tool_choice", {"type": "custom", "name": "f"}),
        ("tool_choice", {"type": "function"}),
        ("tool_choice", ["auto"]),
    ],
)
def test_what_a_pair_cannot_do_is_refused_by_name(field: str, value: Any) -> None:
    error = refusal(**{field: value})
    assert (error.status, error.param, error.code) == (400, field, "unsupported_parameter")


SAID = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"background": False, "tools": [], "tool_choice": "auto", "include": []}, ()),
        ({"conversation": None, "prompt": None, "previous_response_id": None}, ()),
        ({"reasoning": {"summary": "auto", "context": "auto", "mode": "standard"}}, ()),
        ({"text": {"verbosity": "medium"}, "truncation": "disabled", "top_logprobs": 0}, ()),
        ({"store": True, "service_tier": "flex", "user": {"id": "u"}, "max_tool_calls": 3}, ()),
        ({"include": ["reasoning.encrypted_content"]}, ()),
        ({"include": ["message.output_text.logprobs"]}, ("include",)),
        ({"reasoning": {"summary": "detailed"}}, ("reasoning.summary",)),
        ({"text": {"verbosity": "low"}}, ("text.verbosity",)),
        ({"text": {"format": {"type": "text", "x": 1}}}, ("text.format.x",)),
        ({"truncation": "auto", "top_logprobs": 3}, ("truncation", "top_logprobs")),
        ({"stop": "x", "context_management": [{"type": "x"}]}, ("stop", "context_management")),
        ({"stream_options": {"include_obfuscation": True}}, ("stream_options",)),
        ({"stream_options": {}}, ()),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, ()),
        ({"input": [SAID | {"name": "y"}, SAID | {"name": "z", "at": None}]}, ("input.name",)),
        ({"input": [SAID, {"type": "reasoning", "summary": [], "about": "x"}]}, ("input.about",)),
        ({"input": [SAID, CALL | {"namespace": "n"}, OUTPUT]}, ("input.namespace",)),
        (
            {"tools": [{"type": "web_search"}, TIME, {"type": "mcp"}]},
            ("tools.web_search", "tools.mcp"),
        ),
        ({"tools": [{"type": "custom", "name": "f"}], "tool_choice": "none"}, ("tools.custom",)),
    ],
)
def test_what_has_no_effect_is_ignored_and_told(
    fields: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    assert request(**fields).parsed(state()).ignored == ignored


@pytest.mark.parametrize(
    "fields",
    [
        {"max_output_tokens": -2},
        {"top_k": 2**31},
        {"tools": {}},
        {"user": 5},
        {"reasoning": {"effort": "much"}},
        {"text": {"format": {"type": "grammar", "name": "x", "schema": {}}}},
        {"metadata": {"a": 1}},
        {"metadata": {str(index): "" for index in range(17)}},
        {"temperature": float("nan")},
    ],
)
def test_a_field_that_has_no_such_value_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        request(**fields)
    assert refused.value.errors()[0]["loc"][0] in fields


def test_what_is_honoured_is_understood() -> None:
    asked = request(
        stream=True,
        max_output_tokens=40,
        reasoning={"effort": "none", "summary": "auto"},
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        min_p=0.1,
        seed=3,
        text={"format": {"type": "text"}},
        tools=[TIME],
        parallel_tool_calls=False,
        store=True,
        trigreason={"rho": 0.5},
    ).parsed(state())
    assert asked.streamed
    assert (asked.max_tokens, asked.effort, asked.seed) == (40, "none", 3)
    assert (asked.temperature, asked.top_p, asked.options.rho) == (0.5, 0.9, 0.5)
    assert (asked.top_k, asked.min_p, asked.ignored) == (7, 0.1, ())
    assert ([tool.name for tool in asked.tools], asked.parallel_calls) == (["time"], False)
    assert request().parsed(state()).parallel_calls
    assert request(max_output_tokens=-1).parsed(state()).max_tokens is None


def test_a_schema_beside_tools_is_refused_and_beside_ignored_ones_is_not() -> None:
    text = {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}}
    error = refusal(text=text, tools=[TIME])
    assert (error.status, error.param) == (400, "text.format")
    assert request(text=text, tools=[{"type": "web_search"}]).parsed(state()).guide is not None
    assert request(text=text, tools=[TIME], tool_choice="none").parsed(state()).guide is not None
