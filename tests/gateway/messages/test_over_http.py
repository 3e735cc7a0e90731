"""``/v1/messages`` of a running gateway over the bundled pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import Client, asked_gateway
from tests.gateway.messages.asking import (
    COUNT,
    PATH,
    READS,
    SHOWN,
    TURN,
    VERSION,
    ask,
    count,
    over,
    refused,
)
from tests.gateway.messages.claude_code import BODY, HEADERS
from tests.gateway.messages.test_answering import put_together
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import QUESTION
from tests.gateway.test_tools import asked, thinks_and_calls, thinks_and_says
from tests.scripted_server import say
from trigreason.gateway.messages.request import CountRequest
from trigreason.reasoning import Message, prompt_tokens

pytestmark = pytest.mark.slow


async def test_streamed_or_whole_it_is_the_same_message(client: Client) -> None:
    whole, streamed = await ask(client, **SHOWN), await ask(client, stream=True, **SHOWN)
    message, body = put_together(streamed.chunks), whole.body
    for each in (message, body):
        assert each["content"][0].pop("signature") == each["id"]
    for key in ("content", "stop_reason", "stop_sequence", "model", "role", "type"):
        assert message[key] == body[key]
    assert message["usage"].keys() == body["usage"].keys()
    assert streamed.headers["content-type"] == "text/event-stream"
    assert streamed.headers["request-id"] == message["id"]
    assert message["id"].startswith("msg_")
    assert streamed.chunks[-1] == {"type": "message_stop"}


async def test_it_says_what_a_chat_completion_says(client: Client) -> None:
    completion, message = await client.chat(), await ask(client, **SHOWN)
    thinking, text = message.body["content"]
    assert thinking["thinking"] == completion.message["reasoning_content"] != ""
    assert text["text"] == completion.message["content"] != ""
    usage, theirs = message.body["usage"], completion.body["usage"]
    read = usage["input_tokens"] + usage["cache_read_input_tokens"]
    assert (read, usage["output_tokens"]) == (theirs["prompt_tokens"], theirs["completion_tokens"])


async def test_thinking_is_shown_if_it_is_asked_for(client: Client) -> None:
    plain = await ask(client)
    (text,) = plain.body["content"]
    assert text["type"] == "text"
    assert plain.body["usage"]["output_tokens_details"]["thinking_tokens"] > 0
    short = await ask(client, thinking={"type": "enabled", "budget_tokens": 5})
    assert short.body["usage"]["output_tokens_details"]["thinking_tokens"] <= 5


async def test_a_limit_and_a_stop_sequence(client: Client) -> None:
    cut = (await ask(client, max_tokens=10)).body
    assert cut["stop_reason"] == "max_tokens"
    assert cut["usage"]["output_tokens"] <= 10
    stopped = (await ask(client, stop_sequences=["never", "boxed"])).body
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", "boxed")
    assert stopped["content"][0]["text"] == "The answer is \\"


async def test_a_request_of_claude_code(tmp_path: Path) -> None:
    async with asked(tmp_path, thinks_and_says(READS)) as (client, server):
        body = BODY | {"model": "p:srm"}
        told = await client.send("POST", f"{PATH}?beta=true", json=body, headers=HEADERS)
    assert told.status == 200
    assert told.headers["x-trigreason-ignored"] == "context_management, anthropic-beta"
    message = put_together(told.chunks)
    thinking, call = message["content"]
    assert (thinking["type"], message["stop_reason"]) == ("thinking", "tool_use")
    assert call == {
        "type": "tool_use",
        "id": call["id"],
        "name": "Read",
        "input": {"file_path": "todo.txt"},
    }
    prompt = server.prompts[0]
    assert '"required": ["file_path"]' in prompt.partition("</tools>")[0]
    assert "<think>I should read it.</think>I read it.<tool_call>Read:" in prompt
    assert "<|im_start|>tool\n1\tBuy milk.<|im_end|>" in prompt


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "Read"}])
async def test_a_forced_call_is_a_block(tmp_path: Path, choice: Any, stream: bool) -> None:
    called = '{"name": "Read", "arguments": {"file_path": "todo.txt"}}'
    body = BODY | {"model": "p:srm", "tool_choice": choice, "stream": stream}
    async with asked(tmp_path, thinks_and_calls(called)) as (client, _):
        told = await client.send("POST", PATH, json=body, headers=VERSION)
    message = put_together(told.chunks) if stream else told.body
    assert message["stop_reason"] == "tool_use"
    assert [block["type"] for block in message["content"]] == ["thinking", "tool_use"]
    assert message["content"][1]["input"] == {"file_path": "todo.txt"}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_format_binds_the_text_and_not_the_thinking(tmp_path: Path, stream: bool) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    asked_for = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    fields: dict[str, Any] = SHOWN | asked_for
    async with asked(tmp_path, thinks_and_calls('{"n": "4"}', '{"n": 4}')) as (client, _):
        told = await ask(client, model="p:srm", stream=stream, **fields)
    message = put_together(told.chunks) if stream else told.body
    thinking, text = message["content"]
    assert (thinking["thinking"], text["text"]) == ("I look it up.\n\n", '{"n": 4}')
    assert (message["stop_reason"], "x-trigreason-ignored" in told.headers) == ("end_turn", False)


async def test_a_text_that_never_fits_is_an_error(tmp_path: Path) -> None:
    async with asked(tmp_path, thinks_and_calls("No.", "No.")) as (client, _):
        told = await ask(client, model="p:srm", output_format={"type": "json_schema", "schema": {}})
    assert refused(told) == (502, "api_error")


async def test_tools_are_refused_where_no_template_offers_them(client: Client) -> None:
    for stream in (False, True):
        body = BODY | {"stream": stream}
        told = await client.send("POST", PATH, json=body, headers=HEADERS)
        assert refused(told) == (400, "invalid_request_error")
        assert "no chat template that offers tools" in told.body["error"]["message"]


async def test_a_request_of_claude_code_without_tools(client: Client) -> None:
    body = BODY | {"tools": []}
    told = await client.send("POST", f"{PATH}?beta=true", json=body, headers=HEADERS)
    message = put_together(told.chunks)
    assert message["content"][0]["type"] == "thinking"
    assert message["stop_reason"] in ("end_turn", "max_tokens")
    counted = await client.send("POST", f"{COUNT}?beta=true", json=body, headers=HEADERS)
    usage = message["usage"]
    read = usage["input_tokens"] + usage["cache_read_input_tokens"]
    assert counted.body == {"input_tokens": read, "trigreason": {"prompt_is_estimate": False}}


async def test_tools_are_part_of_the_count(tmp_path: Path) -> None:
    async with over(tmp_path, say("One.</think>\n\nTwo.")) as (client, _):
        counts = [await count(client, model="p", tools=tools) for tools in (None, BODY["tools"])]
    without, offered = (told.body["input_tokens"] for told in counts)
    asked = CountRequest.model_validate({"model": "p", "messages": [TURN], "tools": BODY["tools"]})
    assert offered == prompt_tokens(asked.conversation, asked.offered) > without


async def test_odd_names_of_ignored_fields_are_told_safely(client: Client) -> None:
    odd = {"a\r\nset-cookie: b": 1, "ü" * 5000: 1} | {f"f{number}": 1 for number in range(50)}
    told = await ask(client, max_tokens=2, **odd)
    assert told.status == 200
    assert "set-cookie" not in told.headers
    names = told.headers["x-trigreason-ignored"].split(", ")
    assert names[:2] == ["a%0D%0Aset-cookie%3A%20b", "%C3%BC" * 80]
    assert len(names) == 20
    assert "x-trigreason-ignored" not in (await ask(client, max_tokens=2)).headers


async def test_top_k_and_min_p_reach_the_model(tmp_path: Path) -> None:
    async with over(tmp_path, say("One.</think>\n\nTwo.")) as (client, model):
        await ask(client, model="p", top_k=7, min_p=0.25)
        assert {(body["top_k"], body["min_p"]) for body in model.bodies} == {(7, 0.25)}


async def test_counts_and_estimates(client: Client, tmp_path: Path) -> None:
    counted = await count(client)
    usage = (await ask(client, model="bundled:lrm")).body["usage"]
    read = usage["input_tokens"] + usage["cache_read_input_tokens"]
    assert counted.body == {"input_tokens": read, "trigreason": {"prompt_is_estimate": False}}
    longer = await count(client, system="Be brief.")
    assert longer.body["input_tokens"] > read
    turns = [TURN, {"role": "assistant", "content": "It is"}]
    told = await count(client, messages=turns)
    messages = [Message(turn["role"], turn["content"]) for turn in turns]
    assert told.body["input_tokens"] == prompt_tokens(messages)
    assert told.body["trigreason"]["prompt_is_estimate"]
    assert refused(await count(client, model="unknown")) == (404, "not_found_error")
    folder = tmp_path / "scripted"
    folder.mkdir()
    async with over(folder, say("")) as (other, model):
        told = await count(other, model="p:lrm")
        assert told.body["input_tokens"] == prompt_tokens([Message("user", QUESTION)])
        assert told.body["trigreason"]["prompt_is_estimate"]
        assert model.bodies == [], "nothing is generated"


async def test_models_in_anthropics_form(client: Client) -> None:
    told = await client.send("GET", "/v1/models", headers=VERSION)
    plain = await client.get("/v1/models")
    names = [each["id"] for each in told.body["data"]]
    assert names == [each["id"] for each in plain.body["data"]]
    assert (told.body["first_id"], told.body["last_id"]) == (names[0], names[-1])
    assert told.body["has_more"] is False
    one = await client.send("GET", "/v1/models/bundled:lrm", headers=VERSION)
    assert one.body["type"] == "model"
    assert one.body["display_name"] == "bundled:lrm"
    assert one.body["created_at"].startswith("20")
    unknown = await client.send("GET", "/v1/models/x", headers=VERSION)
    assert refused(unknown) == (404, "not_found_error")
    assert (await client.get("/v1/models/x")).error["code"] == "model_not_found"


async def test_a_pair_that_thinks_in_the_open_gives_text(tmp_path: Path) -> None:
    async with scripted([say("We add.\n\nSo it is \\boxed{72}.")]) as model:
        toml = pair_toml(model.url).replace(
            f'url = "{model.url}"\n', f'url = "{model.url}"\nthinking = "open"\n'
        )
        toml += "thresholds = { n = 0, rho = 1.0 }\n"
        async with asked_gateway(tmp_path, toml) as client:
            told = await ask(client, model="p", stream=True, **SHOWN)
    assert put_together(told.chunks)["content"] == [
        {"type": "text", "text": "We add.\n\nSo it is \\boxed{72}."}
    ]


async def test_it_is_recorded_and_measured_as_messages(client: Client) -> None:
    told = await ask(client, max_tokens=8)
    page = (await client.get("/metrics")).text
    (line,) = [
        each
        for each in page.splitlines()
        if each.startswith("trigreason_requests_total{") and 'outcome="finished"' in each
    ]
    assert 'api="messages"' in line
    assert json.loads(told.text)["trigreason"]["trace_id"] == told.headers["x-trigreason-id"]
