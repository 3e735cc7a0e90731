"""Chat completions with tools: the models' own forms in, OpenAI's out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import Client, asked_gateway
from tests.gateway.scripted import scripted
from tests.scripted_server import Body, Reply, Script, ScriptedServer, say

pytestmark = pytest.mark.slow

TEMPLATE = (
    "{% if tools %}<tools>{% for tool in tools %}{{ tool | tojson }}{% endfor %}</tools>{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}"
    "{{ message.content or '' }}"
    "{% for call in message.tool_calls or [] %}<tool_call>"
    "{{ call.function.name }}:{{ call.function.arguments.city }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}<|im_start|>assistant\n<think>\n"
)
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>'
ARGUMENTS = '{"city": "Paris"}'
TIME = {
    "type": "function",
    "function": {
        "name": "time",
        "parameters": {
            "properties": {"zone": {"$ref": "#/$defs/Zone"}},
            "required": ["zone"],
            "$defs": {"Zone": {"enum": ["UTC", "CET"]}},
        },
    },
}
NAMED: dict[str, Any] = {"type": "function", "function": {"name": "weather"}}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather"}}
FINISHED: list[dict[str, Any]] = [
    {"role": "user", "content": "How warm is Paris?"},
    {
        "role": "assistant",
        "content": None,
        "reasoning_content": "I look it up.",
        "tool_calls": [CALLED | {"function": {"name": "weather", "arguments": ARGUMENTS}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
]


@asynccontextmanager
async def asked(
    folder: Path, script: Script, template: str = TEMPLATE
) -> AsyncIterator[tuple[Client, ScriptedServer]]:
    file = folder / "template.jinja"
    file.write_text(template)
    async with scripted(script) as server:
        engine = f'url = "{server.url}"\ntemplate = {json.dumps(str(file))}\n'
        toml = f'[engines.s]\n{engine}[engines.l]\n{engine}[pairs.p]\nsrm = "s"\nlrm = "l"\n'
        async with asked_gateway(folder, toml) as client:
            yield client, server


def thinks_and_says(answer: str) -> Script:
    return lambda body: say(f"I look it up.\n\n</think>\n\n{answer}")


async def told(client: Client, **fields: Any) -> Any:
    return await client.chat("Paris?", model="p:srm", **{"tools": [WEATHER]} | fields)


def joined_calls(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls as a client puts them together from the deltas."""
    calls: list[dict[str, Any]] = []
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        for part in choice["delta"].get("tool_calls", ()):
            if part["index"] == len(calls):
                assert part["function"]["arguments"] == ""
                calls.append({key: part[key] for key in ("id", "type", "function")})
            else:
                assert part.keys() == {"index", "function"}
                calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]
    return calls


@pytest.mark.parametrize(
    ("answer", "parallel", "content", "count", "finish"),
    [
        (CALL, None, None, 1, "tool_calls"),
        (f"Let me see.\n{CALL}", None, "Let me see.", 1, "tool_calls"),
        (f"{CALL}\n{CALL}", None, None, 2, "tool_calls"),
        (f"{CALL}\n{CALL}", False, None, 1, "tool_calls"),
        ("It is warm.", None, "It is warm.", 0, "stop"),
        (CALL.replace("weather", "rain"), None, CALL.replace("weather", "rain"), 0, "stop"),
        (CALL.replace("}}", "}"), None, CALL.replace("}}", "}"), 0, "stop"),
    ],
)
async def test_calls_stream_as_the_whole_has_them(
    tmp_path: Path,
    answer: str,
    parallel: bool | None,
    content: str | None,
    count: int,
    finish: str,
) -> None:
    async with asked(tmp_path, thinks_and_says(answer)) as (client, server):
        whole = await told(client, parallel_tool_calls=parallel)
        stream = await told(client, parallel_tool_calls=parallel, stream=True)
    message = whole.body["choices"][0]["message"]
    calls = message.get("tool_calls", [])
    assert (message["content"], len(calls)) == (content, count)
    assert message["reasoning_content"] == "I look it up.\n\n"
    assert whole.body["choices"][0]["finish_reason"] == finish
    assert all(call["function"]["arguments"] == ARGUMENTS for call in calls)
    assert all(len(call["id"]) == 9 and call["id"].isalnum() for call in calls)
    assert [each["function"] for each in joined_calls(stream.chunks)] == [
        each["function"] for each in calls
    ]
    assert stream.joined("content") == (content or "")
    assert [
        each["finish_reason"]
        for chunk in stream.chunks
        for each in chunk["choices"]
        if each["finish_reason"]
    ] == [finish]
    assert '"name": "weather"' in server.prompts[0].partition("</tools>")[0]


async def test_a_result_goes_back_to_the_model_in_its_own_form(tmp_path: Path) -> None:
    async with asked(tmp_path, thinks_and_says("It is 21 degrees.")) as (client, server):
        answer = await told(client, messages=FINISHED)
    assert answer.message["content"] == "It is 21 degrees."
    assert (
        "<|im_start|>assistant\n<think>I look it up.</think><tool_call>weather:Paris</tool_call>"
        "<|im_end|>\n<|im_start|>tool\n21 degrees<|im_end|>"
    ) in server.prompts[0]


@pytest.mark.parametrize("choice", ["none", None])
async def test_finished_calls_are_text_where_the_template_knows_none(
    tmp_path: Path, choice: str | None
) -> None:
    plain = (
        "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}<think>"
    )
    tools = [WEATHER] if choice else None
    async with asked(tmp_path, thinks_and_says("21."), plain) as (client, server):
        turns = [*FINISHED, FINISHED[2], {"role": "user", "content": "So?"}]
        answer = await told(client, messages=turns, tools=tools, tool_choice=choice)
    assert answer.message["content"] == "21."
    result = "<tool_response>\n21 degrees\n</tool_response>\n\n"
    assert f"[assistant]{CALL}[user]{result}{result}So?<think>" in server.prompts[0]


async def test_without_a_choice_of_tools_nothing_is_a_call(tmp_path: Path) -> None:
    async with asked(tmp_path, thinks_and_says(CALL)) as (client, server):
        answer = await told(client, tool_choice="none")
    assert answer.message["content"] == CALL
    assert "<tools>" not in server.prompts[0]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": NAMED | {"type": "custom"}}, "tool_choice"),
        ({"tool_choice": NAMED | {"function": {"name": "rain"}}}, "tool_choice"),
        ({"tool_choice": "required", "tools": None}, "tool_choice"),
        ({"tool_choice": "required", "response_format": {"type": "json_object"}},
         "response_format"),
        ({"tool_choice": "required", "tools": [TIME | {"function": {"name": "time",
          "parameters": {"$ref": "#/$defs/nothing"}}}]}, "tools"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [WEATHER, WEATHER]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": [FINISHED[0], FINISHED[2]]}, "messages[1].tool_call_id"),
        ({"messages": [*FINISHED[:2], FINISHED[2] | {"tool_call_id": "call_2"}]},
         "messages[2].tool_call_id"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"messages": [*FINISHED[:1], {"role": "user", "content": "a", "tool_calls": [CALLED]}]},
         "messages[1].tool_calls"),
        ({"messages": [FINISHED[0], {"role": "assistant", "tool_calls": [
            CALLED | {"function": {"name": "weather", "arguments": "[1"}}]}]},
         "messages[1].tool_calls[0].function.arguments"),
    ],
)  # fmt: skip
async def test_what_cannot_be_honoured_is_refused_by_its_name(
    tmp_path: Path, fields: dict[str, Any], param: str
) -> None:
    async with asked(tmp_path, thinks_and_says("No.")) as (client, server):
        answer = await told(client, **fields)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert not server.bodies


async def test_a_template_without_tools_is_a_refusal_in_plain_words(tmp_path: Path) -> None:
    plain = "{% for message in messages %}{{ message.content }}{% endfor %}"
    async with asked(tmp_path, thinks_and_says("No."), plain) as (client, server):
        answer = await told(client)
    assert (answer.status, answer.error["param"]) == (400, "tools")
    assert "no chat template that offers tools" in answer.error["message"]
    assert not server.bodies


async def test_a_call_that_a_limit_cuts_is_text_of_length(tmp_path: Path) -> None:
    def cut(body: Body) -> Reply:
        return say(f"Hm.\n\n</think>\n\n{CALL}", then="length") if len(body) else Reply([])

    async with asked(tmp_path, cut) as (client, _):
        answer = await told(client, max_tokens=8)
    assert answer.body["choices"][0]["finish_reason"] == "length"
    assert "tool_calls" not in answer.message


def thinks_and_calls(*answers: str) -> Script:
    """A model that writes these answers behind the cue of a bound answer, one after the other."""
    left = list(answers)

    def script(body: Body) -> Reply:
        is_bound = "The answer as JSON that fits the schema" in body["prompt"]
        return say(left.pop(0) if is_bound else "I look it up.\n\n</think>\n\nNo call.")

    return script


IN_PARIS = f'{{"name": "weather", "arguments": {ARGUMENTS}}}'
IN_UTC = '{"name": "time", "arguments": {"zone": "UTC"}}'


@pytest.mark.parametrize(
    ("choice", "answers", "function", "finish"),
    [
        ("required", [IN_PARIS], ("weather", ARGUMENTS), "tool_calls"),
        ("required", [IN_UTC], ("time", '{"zone": "UTC"}'), "tool_calls"),
        ("required", [IN_UTC.replace("UTC", "EST"), IN_UTC], ("time", '{"zone": "UTC"}'),
         "tool_calls"),
        (NAMED, [IN_PARIS], ("weather", ARGUMENTS), "stop"),
        (NAMED, [IN_UTC, IN_PARIS], ("weather", ARGUMENTS), "stop"),
        (NAMED, [IN_PARIS.replace(ARGUMENTS, "[]"), IN_PARIS], ("weather", ARGUMENTS), "stop"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
async def test_a_forced_call_fits_the_schema_of_its_tool(
    tmp_path: Path,
    choice: Any,
    answers: list[str],
    function: tuple[str, str],
    finish: str,
    stream: bool,
) -> None:
    fields = {"tools": [WEATHER, TIME], "tool_choice": choice, "stop": ["Paris", "UTC"]}
    async with asked(tmp_path, thinks_and_calls(*answers)) as (client, server):
        answer = await told(client, stream=stream, **fields)
    if stream:
        calls = joined_calls(answer.chunks)
        [ended] = [each for chunk in answer.chunks for each in chunk["choices"]
                   if each["finish_reason"]]  # fmt: skip
        content, thinking = answer.joined("content"), answer.joined("reasoning_content")
    else:
        [ended] = answer.body["choices"]
        calls, content = ended["message"]["tool_calls"], ended["message"]["content"] or ""
        thinking = ended["message"]["reasoning_content"]
    [call] = calls
    assert call["function"] == dict(zip(("name", "arguments"), function, strict=True))
    assert (ended["finish_reason"], content, thinking) == (finish, "", "I look it up.\n\n")
    assert len(server.bodies) == 1 + len(answers)


async def test_a_forced_call_that_a_limit_cuts_is_text_of_length(tmp_path: Path) -> None:
    long = IN_PARIS.replace("Paris", "Paris " * 40)
    async with asked(tmp_path, thinks_and_calls(long)) as (client, _):
        answer = await told(client, tool_choice="required", max_tokens=20)
    assert answer.body["choices"][0]["finish_reason"] == "length"
    assert "tool_calls" not in answer.message
    assert answer.message["content"].startswith('{"name": "weather"')
