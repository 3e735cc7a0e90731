"""What may be asked of ``/v1/messages``, and how it is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.gateway.messages.claude_code import BODY, REMINDER
from trigreason.gateway.errors import ApiError
from trigreason.gateway.messages.request import MOST_STOPS, MessagesRequest
from trigreason.reasoning import Message, ToolCall

USER = {"role": "user", "content": "hello"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": "ü"}}
ADDED = ToolCall("toolu_1", "add", '{"a": 1, "b": "ü"}')
TOOL = {"name": "add", "input_schema": {"type": "object", "properties": {"a": {}}}}
FORMAT: dict[str, Any] = {"type": "json_schema", "schema": {"type": "boolean"}}


def request(**fields: Any) -> MessagesRequest:
    body = {"model": "bundled", "max_tokens": 100, "messages": [USER]}
    return MessagesRequest.model_validate(body | fields)


def refusal(**fields: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        request(**fields).parsed()
    return refused.value


def text(*texts: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": each} | more for each in texts]


def result(content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content} | more


SYSTEMS: list[tuple[Any, tuple[str, ...]]] = [
    (None, ()),
    ("", ()),
    ([], ()),
    ("Be brief.", ("Be brief.",)),
    (text("Be brief.", cache_control={"type": "ephemeral"}), ("Be brief.",)),
    (text("Be brief.", "Be kind."), ("Be brief.\n\nBe kind.",)),
    (text("x-anthropic-billing-header: cc_version=2; cch=1a2b;", "Be brief."), ("Be brief.",)),
    (text("x-anthropic-billing-header: cc_version=2;"), ()),
    (
        text("Be brief.", "x-anthropic-billing-header: x"),
        ("Be brief.\n\nx-anthropic-billing-header: x",),
    ),
]


@pytest.mark.parametrize(("system", "texts"), SYSTEMS)
def test_the_system_prompt(system: Any, texts: tuple[str, ...]) -> None:
    expected = tuple(Message("system", each) for each in texts)
    assert request(system=system).parsed().messages == (*expected, Message("user", "hello"))


TURNS: list[tuple[list[tuple[str, Any]], list[tuple[Any, ...]]]] = [
    ([("user", "a")], [("user", "a")]),
    ([("user", text("a", "b"))], [("user", "a\n\nb")]),
    ([("user", text("a", "", cache_control={}))], [("user", "a")]),
    (
        [("user", "a"), ("assistant", text("b", "c")), ("user", "d")],
        [("user", "a"), ("assistant", "bc"), ("user", "d")],
    ),
    (
        [("user", "a"), ("user", text("b")), ("assistant", "c"), ("assistant", "d"), ("user", "e")],
        [("user", "a\n\nb"), ("assistant", "c\n\nd"), ("user", "e")],
    ),
    (
        [
            ("user", "a"),
            (
                "assistant",
                [
                    {"type": "thinking", "thinking": "hm", "signature": "msg_1"},
                    {"type": "redacted_thinking", "data": "x"},
                    *text("b"),
                ],
            ),
            ("user", "c"),
        ],
        [("user", "a"), ("assistant", "b"), ("user", "c")],
    ),
    (
        [("user", "a"), ("system", "Be brief."), ("user", "b")],
        [("user", "a"), ("system", "Be brief."), ("user", "b")],
    ),
    (
        [("user", "a"), ("assistant", [*text("I add."), CALL]), ("user", [result("3")])],
        [
            ("user", "a"),
            ("assistant", "I add.", (ADDED,)),
            ("tool", "3", (), "toolu_1"),
        ],
    ),
    (
        [
            ("user", "a"),
            ("assistant", [{"type": "thinking", "thinking": "hm"}, CALL, CALL | {"id": "t2"}]),
            ("user", [*text("why?"), result(text("3", "4"), is_error=True), result("5")]),
            ("user", "b"),
        ],
        [
            ("user", "a"),
            ("assistant", "", (ADDED, ADDED._replace(id="t2")), "", "hm"),
            ("tool", "error: 3\n\n4", (), "toolu_1"),
            ("tool", "5", (), "toolu_1"),
            ("user", "why?\n\nb"),
        ],
    ),
    (
        [("assistant", [*text("b"), CALL]), ("assistant", [*text("c"), CALL])],
        [("assistant", "b\n\nc", (ADDED, ADDED))],
    ),
    (
        [("user", [{"type": "tool_result", "tool_use_id": "x"}])],
        [("tool", "", (), "x")],
    ),
    (
        [("user", [{"type": "document", "source": {"type": "text", "data": "A tale."}}])],
        [("user", "A tale.")],
    ),
]


@pytest.mark.parametrize(("turns", "messages"), TURNS)
def test_turns(turns: list[tuple[str, Any]], messages: list[tuple[Any, ...]]) -> None:
    asked = request(messages=[{"role": role, "content": content} for role, content in turns])
    assert asked.parsed().messages == tuple(Message(*each) for each in messages)


BLOCKS: list[tuple[str, Any, str]] = [
    ("user", [IMAGE], "messages[0].content[0]"),
    (
        "user",
        [*text("a"), {"type": "document", "source": {"type": "url"}}],
        "messages[0].content[1]",
    ),
    ("user", [{"type": "document"}], "messages[0].content[0]"),
    ("user", [result([IMAGE])], "messages[0].content[0].content[0]"),
    ("user", [result(5)], "messages[0].content[0].content"),
    ("user", [result(["a"])], "messages[0].content[0].content[0]"),
    ("user", [{}], "messages[0].content[0]"),
    ("user", [{"type": ["text"]}], "messages[0].content[0]"),
    ("user", [{"type": "text"}], "messages[0].content[0].text"),
    ("user", [{"type": "text", "text": "\ud800"}], "messages[0].content[0].text"),
    ("user", "\ud800", "messages[0].content"),
    ("user", [{"type": "thinking", "thinking": "hm"}], "messages[0].content[0]"),
    ("user", [CALL], "messages[0].content[0]"),
    ("assistant", [result("3")], "messages[0].content[0]"),
    ("assistant", [CALL | {"input": "x"}], "messages[0].content[0].input"),
    ("assistant", [CALL | {"name": None}], "messages[0].content[0].name"),
    ("assistant", [CALL | {"id": 5}], "messages[0].content[0].id"),
    ("assistant", [CALL | {"input": {"a": "\ud800"}}], "messages[0].content[0].input"),
    ("user", [{"type": "tool_result", "content": "3"}], "messages[0].content[0].tool_use_id"),
    ("assistant", [{"type": "server_tool_use", "id": "x"}], "messages[0].content[0]"),
]


@pytest.mark.parametrize(("role", "content", "field"), BLOCKS)
def test_a_block_that_cannot_be_read_is_named(role: str, content: Any, field: str) -> None:
    error = refusal(messages=[{"role": role, "content": content}])
    assert (error.status, error.param) == (400, field)
    error.message.encode()


def test_an_image_is_refused_in_plain_words() -> None:
    assert "these models read text only" in refusal(messages=[USER | {"content": [IMAGE]}]).message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "add"}}, "tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "sub"}, "tools": [TOOL]}, "tool_choice"),
        ({"tool_choice": {"type": "tool"}, "tools": [TOOL]}, "tool_choice.name"),
        ({"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}]}, "tools[1]"),
        ({"tools": [TOOL, TOOL]}, "tools"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_format": FORMAT | {"schema": {"type": "strng"}}}, "output_format.schema.type"),
        ({"output_format": FORMAT, "output_config": {"format": FORMAT}}, "output_format"),
        ({"output_config": {"format": FORMAT}, "tools": [TOOL]}, "output_config.format"),
        ({"output_format": FORMAT, "tools": [TOOL]}, "output_format"),
        ({"stop_sequences": ["x", ""]}, "stop_sequences"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields).param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 0},
        {"max_tokens": None},
        {"messages": []},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": ["x"]}]},
        {"model": ""},
        {"system": 5},
        {"temperature": 2.1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_k": -2},
        {"stop_sequences": ["x"] * (MOST_STOPS + 1)},
        {"thinking": {"type": "much"}},
        {"thinking": {"type": "enabled", "budget_tokens": 0}},
        {"output_config": {"effort": "much"}},
        {"output_config": {"format": {"type": "grammar"}}},
        {"output_format": {"schema": {}}},
        {"tool_choice": {"type": "some"}},
        {"tools": [{"name": ""}]},
        {"tools": [{"input_schema": {}}]},
    ],
)
def test_a_field_that_has_no_such_value_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        request(**fields)
    assert refused.value.errors()[0]["loc"][0] in fields


def test_what_is_honoured_is_understood() -> None:
    asked = request(
        stream=True,
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        min_p=0.1,
        seed=3,
        stop_sequences=["x"] * MOST_STOPS,
        thinking={"type": "enabled", "budget_tokens": 50},
        output_config={"effort": "low"},
        trigreason={"rho": 0.5},
        metadata={"user_id": "u"},
        service_tier="auto",
    ).parsed()
    assert asked.streamed
    assert (asked.max_tokens, asked.effort, asked.seed) == (100, "low", 3)
    assert (asked.temperature, asked.top_p, asked.top_k, asked.min_p) == (0.5, 0.9, 7, 0.1)
    assert (asked.options.rho, asked.options.thinking_tokens) == (0.5, 50)
    assert len(asked.stop) == MOST_STOPS
    assert asked.ignored == ()


@pytest.mark.parametrize(
    ("fields", "schema"),
    [
        ({"output_config": {"format": FORMAT, "effort": "low"}}, FORMAT["schema"]),
        ({"output_format": FORMAT}, FORMAT["schema"]),
        ({"output_format": FORMAT, "output_config": {"effort": "low"}}, FORMAT["schema"]),
        (
            {"output_format": FORMAT, "tools": [TOOL], "tool_choice": {"type": "none"}},
            FORMAT["schema"],
        ),
        ({"output_config": {"format": None}, "tools": [TOOL]}, None),
    ],
)
def test_a_format_binds_the_answer(fields: dict[str, Any], schema: Any) -> None:
    asked = request(**fields).parsed()
    assert (asked.guide and asked.guide.json_schema, asked.ignored) == (schema, ())


THINKING: list[tuple[dict[str, Any] | None, bool, bool, str | None, int | None]] = [
    (None, False, False, None, None),
    ({"type": "disabled"}, False, False, "none", None),
    ({"type": "adaptive"}, True, False, None, None),
    ({"type": "between_tools"}, True, False, None, None),
    ({"type": "enabled", "budget_tokens": 2048}, True, False, None, 2048),
    ({"type": "enabled", "budget_tokens": 2048, "display": "omitted"}, True, True, None, 2048),
    ({"type": "adaptive", "display": "summarized"}, True, False, None, None),
]


@pytest.mark.parametrize(("thinking", "shown", "omitted", "effort", "tokens"), THINKING)
def test_thinking(
    thinking: Any, shown: bool, omitted: bool, effort: str | None, tokens: int | None
) -> None:
    asked = request(thinking=thinking)
    assert (asked.shows_thinking, asked.omits_thinking) == (shown, omitted)
    parsed = asked.parsed()
    assert (parsed.effort, parsed.options.thinking_tokens) == (effort, tokens)


def test_the_gateways_own_budget_goes_before_anthropics() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2048}
    asked = request(thinking=thinking, trigreason={"thinking_tokens": 9}).parsed()
    assert asked.options.thinking_tokens == 9


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"speed": "fast"}, ("speed",)),
        ({"tools": [TOOL], "tool_choice": {"type": "auto"}}, ()),
        ({"tools": [], "mcp_servers": [], "container": None, "context_management": {}}, ()),
        ({"anything": 1, "cache_control": {"type": "ephemeral"}}, ("anything",)),
        ({"messages": [USER | {"id": 1}, USER | {"id": 2}]}, ("messages.id",)),
        ({"thinking": {"type": "adaptive", "x": 1}}, ("thinking.x",)),
    ],
)
def test_what_has_no_effect_is_told(fields: dict[str, Any], ignored: tuple[str, ...]) -> None:
    assert request(**fields).parsed().ignored == ignored
    assert request(**fields).parsed("a-header").ignored == (*ignored, "a-header")


def test_what_claude_code_sends_is_understood() -> None:
    parsed = MessagesRequest.model_validate(BODY).parsed()
    assert parsed.ignored == ("context_management",)
    assert parsed.effort == "medium"
    roles = [message.role for message in parsed.messages]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    system, question, call, answer, reminder = parsed.messages
    assert system.content.startswith("You are Claude Code")
    assert question.content.endswith("What is in notes.txt?")
    assert (call.content, call.reasoning) == ("I read it.", "I should read it.")
    assert call.tool_calls == (ToolCall("toolu_1", "Read", '{"file_path": "notes.txt"}'),)
    assert (answer.content, answer.tool_call_id) == ("1\tBuy milk.", "toolu_1")
    assert reminder.content == REMINDER
    [tool] = parsed.tools
    function = json.loads(tool.definition)["function"]
    assert (tool.name, function["parameters"]["required"]) == ("Read", ["file_path"])


@pytest.mark.parametrize(
    ("choice", "count", "forced", "parallel"),
    [
        (None, 2, None, True),
        ({"type": "auto"}, 2, None, True),
        ({"type": "auto", "disable_parallel_tool_use": True}, 2, None, False),
        ({"type": "none"}, 0, None, True),
        ({"type": "any"}, 2, ["add", "sub"], True),
        ({"type": "tool", "name": "sub"}, 2, ["sub"], True),
    ],
)
def test_which_tools_may_and_must_be_called(
    choice: Any, count: int, forced: list[str] | None, parallel: bool
) -> None:
    asked = request(tools=[TOOL, TOOL | {"name": "sub"}], tool_choice=choice).parsed()
    assert (len(asked.tools), asked.parallel_calls) == (count, parallel)
    if forced is None:
        assert asked.forced is None
        return
    assert asked.forced is not None
    assert asked.forced.finish_reason == "tool_calls"
    fitting = [
        name
        for name in ("add", "sub")
        if not asked.forced.guide.problem(f'{{"name": "{name}", "arguments": {{}}}}')
    ]
    assert fitting == forced
