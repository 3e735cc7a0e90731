"""Calls over ``/v1/responses``: told, answered, and remembered by the client or the gateway."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import Client, Told
from tests.gateway.test_lenient import CODEX
from tests.gateway.test_tools import ARGUMENTS, CALL, WEATHER, asked
from tests.scripted_server import Body, Reply, say

pytestmark = pytest.mark.slow

QUESTION = {"role": "user", "content": "How warm is Paris?"}
TOOL: dict[str, Any] = {"type": "function"} | WEATHER["function"]
TOLD = "It is 21 degrees in Paris."
CONTINUED = (
    "<|im_start|>assistant\n<think>I look it up.\n\n</think><tool_call>weather:Paris</tool_call>"
    "<|im_end|>\n<|im_start|>tool\n21 degrees<|im_end|>"
)
"""The turn with a call, and its result, as both models read them."""


def model(body: Body) -> Reply:
    """A model that looks the weather up and tells it."""
    return say(f"I look it up.\n\n</think>\n\n{TOLD if '21 degrees' in body['prompt'] else CALL}")


async def ask(client: Client, *items: dict[str, Any], **fields: Any) -> Told:
    body = {"model": "p:srm", "input": [QUESTION, *items], "tools": [TOOL]} | fields
    return await client.send("POST", "/v1/responses", json=body)


def response_of(answer: Told) -> dict[str, Any]:
    """The response, which a stream's last event repeats."""
    assert answer.status == 200, answer.text
    if "event:" not in answer.text:
        return answer.body
    last: dict[str, Any] = answer.chunks[-1]["response"]
    return last


def output_for(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call["call_id"], "output": "21 degrees"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("store", [None, False])
async def test_a_response_goes_back_as_it_came(
    tmp_path: Path, stream: bool, store: bool | None
) -> None:
    async with asked(tmp_path, model) as (client, server):
        first = response_of(await ask(client, stream=stream, store=store))
        reasoning, call = first["output"]
        assert (reasoning["type"], call["type"]) == ("reasoning", "function_call")
        assert (call["name"], call["arguments"]) == ("weather", ARGUMENTS)
        last = response_of(
            await ask(client, *first["output"], output_for(call), stream=stream, store=store)
        )
    assert last["output"][-1]["content"][0]["text"] == TOLD
    assert CONTINUED in server.prompts[-1]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_goes_back_by_reference(tmp_path: Path, stream: bool) -> None:
    async with asked(tmp_path, model) as (client, server):
        first = response_of(await ask(client, stream=stream))
        references = [{"type": "item_reference", "id": item["id"]} for item in first["output"]]
        again = response_of(await ask(client, *references, output_for(first["output"][-1])))
        assert again["output"][-1]["content"][0]["text"] == TOLD
        assert CONTINUED in server.prompts[-1]
        unstored = response_of(await ask(client, stream=stream, store=False))
        reference = {"type": "item_reference", "id": unstored["output"][0]["id"]}
        refused = await ask(client, reference, stream=stream)
    assert (refused.status, refused.error["param"]) == (404, "input")


async def test_codex_goes_on_after_a_call(tmp_path: Path) -> None:
    tools = [TOOL | {"strict": False}, {"type": "namespace", "name": "agents", "tools": []}]
    body = CODEX | {"model": "p:srm", "tools": tools}
    async with asked(tmp_path, model) as (client, server):
        first = await client.send("POST", "/v1/responses", json=body)
        reasoning, call = response_of(first)["output"]
        assert "tools.namespace" in first.headers["x-trigreason-ignored"].split(", ")
        without_content = {"id", "type", "summary", "encrypted_content"}
        items = [
            {key: value for key, value in reasoning.items() if key in without_content},
            {key: value for key, value in call.items() if key != "status"},
            output_for(call),
        ]
        second = body | {"input": [*body["input"], *items]}
        last = response_of(await client.send("POST", "/v1/responses", json=second))
    assert last["output"][-1]["content"][0]["text"] == TOLD
    assert CONTINUED in server.prompts[-1]


async def test_encrypted_content_outlives_the_gateway(tmp_path: Path) -> None:
    """It is for gateways on one database, and for no others."""
    include = ["reasoning.encrypted_content"]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    async with asked(tmp_path / "one", model) as (client, _):
        reasoning, call = response_of(await ask(client, include=include, store=False))["output"]
    items = reasoning | {"content": None}, call, output_for(call)
    async with asked(tmp_path / "one", model) as (client, server):
        assert response_of(await ask(client, *items))["status"] == "completed"
        assert CONTINUED in server.prompts[-1]
    async with asked(tmp_path / "other", model) as (client, _):
        refused = await ask(client, *items)
    assert (refused.status, refused.error["code"]) == (400, "invalid_encrypted_content")


async def test_several_calls_come_at_once_unless_the_client_wants_one(tmp_path: Path) -> None:
    def both(_: Body) -> Reply:
        return say(f"I look it up.\n\n</think>\n\n{CALL}\n{CALL}")

    async with asked(tmp_path, both) as (client, _):
        for stream in (False, True):
            two = response_of(await ask(client, stream=stream))["output"]
            one = response_of(await ask(client, stream=stream, parallel_tool_calls=False))["output"]
            kinds = [item["type"] for item in two]
            assert kinds == ["reasoning", "function_call", "function_call"]
            assert [item["type"] for item in one] == kinds[:2]
            assert two[1]["call_id"] != two[2]["call_id"]


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "function", "name": "weather"},
        {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "weather"}],
        },
    ],
)
async def test_a_forced_call(tmp_path: Path, choice: Any) -> None:
    def bound(body: Body) -> Reply:
        forced = re.search(r'"name":{"const":"(\w+)"}', body["prompt"])
        told = (
            f'{{"name": "{forced[1]}", "arguments": {ARGUMENTS}}}' if forced else "Hm.\n\n</think>"
        )
        return say(told)

    other = {"type": "function", "name": "other"}
    async with asked(tmp_path, bound) as (client, _):
        for stream in (False, True):
            answer = await ask(client, tools=[TOOL], tool_choice=choice, stream=stream)
            *_, call = response_of(answer)["output"]
            assert (call["type"], call["name"], call["arguments"]) == (
                *("function_call", "weather", ARGUMENTS),
            )
        refused = await ask(
            client, tools=[TOOL, other], tool_choice={"type": "function", "name": "x"}
        )
    assert (refused.status, refused.error["param"]) == (400, "tool_choice")


async def test_tools_are_left_out_of_the_prompt_that_may_not_be_called(tmp_path: Path) -> None:
    def answers(_: Body) -> Reply:
        return say("So.\n\n</think>\n\nWarm.")

    search = {"type": "web_search"}
    async with asked(tmp_path, answers) as (client, server):
        for tools, choice in (([TOOL, search], "none"), ([search], "auto"), ([search], None)):
            answer = await ask(client, tools=tools, tool_choice=choice)
            assert response_of(answer)["output"][-1]["content"][0]["text"] == "Warm."
            assert answer.headers["x-trigreason-ignored"] == "tools.web_search"
            assert "<tools>" not in server.prompts[-1]
        refused = await ask(client, tools=[search], tool_choice="required")
    assert (refused.status, refused.error["param"]) == (400, "tool_choice")
