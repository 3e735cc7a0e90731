"""``/v1/messages`` of a running gateway: over the bundled pair, and over models that fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import soon
from tests.gateway.client import Client, Told, asked_gateway
from tests.gateway.messages.claude_code import BODY, HEADERS
from tests.gateway.messages.test_answering import put_together
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import QUESTION
from tests.gateway.test_tools import asked, thinks_and_calls, thinks_and_says
from tests.scripted_server import Reply, Said, ScriptedServer, chatter, say
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.messages.request import CountRequest
from trigreason.gateway.storage import DatabaseAway, OverLimit
from trigreason.reasoning import Message, prompt_tokens

PATH = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
TURN = {"role": "user", "content": QUESTION}
SHOWN = {"thinking": {"type": "enabled", "budget_tokens": 4000}}
READS = '<tool_call>{"name": "Read", "arguments": {"file_path": "todo.txt"}}</tool_call>'
VERSION = {"anthropic-version": "2023-06-01"}
FAILING = """
thresholds = { n = 0, rho = 1, m = 0 }
failure = { retries = 0, srm_away = "fail", lrm_away = "fail" }
[gateway]
[gateway.limits]
"""
"""Nothing fires, and nothing is tried again."""


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path) as client:
        yield client
        assert await soon(lambda: client.is_idle)


@asynccontextmanager
async def over(
    folder: Path, reply: Reply, limits: str = ""
) -> AsyncIterator[tuple[Client, ScriptedServer]]:
    """A client of a gateway whose pair ``p`` always says this, and the model's server."""
    async with (
        scripted(lambda _: reply) as model,
        asked_gateway(folder, pair_toml(model.url) + FAILING + limits) as client,
    ):
        yield client, model
        assert await soon(lambda: client.is_idle and not model.open_streams)


async def ask(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "max_tokens": 4096, "messages": [TURN], "seed": 1} | fields
    return await client.send("POST", PATH, json=body, headers=VERSION)


async def count(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "messages": [TURN]} | fields
    return await client.send("POST", COUNT, json=body, headers=VERSION)


def refused(told: Told) -> tuple[int, str]:
    """An error's status and type, after checking its shape."""
    assert told.body.keys() == {"type", "error", "request_id"}
    assert told.body["type"] == "error"
    assert told.body["error"].keys() == {"type", "message"}
    assert told.body["error"]["message"]
    assert told.body["request_id"] == told.headers.get("request-id")
    return told.status, told.body["error"]["type"]


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


BAD: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens"),
    ({"messages": "hello"}, "messages"),
    ({"messages": [TURN | {"content": [{"type": "image"}]}]}, "read text only"),
    ({"messages": [TURN | {"content": " "}]}, "empty"),
    ({"messages": [TURN, TURN | {"role": "assistant"}]}, "of the assistant"),
    ({"messages": [TURN] * 1001}, "at most 1000 messages"),
    ({"model": "bundled:rho=7"}, "rho"),
    ({"trigreason": {"rho": 7}}, "rho"),
    ({"tool_choice": {"type": "any"}}, "no such tool"),
]


@pytest.mark.parametrize(("fields", "what"), BAD)
async def test_bad_requests_name_their_fault(
    client: Client, fields: dict[str, Any], what: str
) -> None:
    for stream in (False, True):
        told = await ask(client, stream=stream, **fields)
        assert refused(told) == (400, "invalid_request_error")
        assert what in told.body["error"]["message"]


async def test_what_is_refused_before_the_route(tmp_path: Path) -> None:
    toml = "[gateway]\n[gateway.limits]\nbody_bytes = 2000\n"
    async with asked_gateway(tmp_path, toml) as client:
        json_type = {"content-type": "application/json"}
        for data, status, kind in (
            (b"{", 400, "invalid_request_error"),
            (b"[]", 400, "invalid_request_error"),
            (b'{"a": "' + b"x" * 3000 + b'"}', 413, "request_too_large"),
        ):
            for path in (PATH, COUNT):
                told = await client.send("POST", path, data=data, headers=json_type)
                assert refused(told) == (status, kind)
        assert refused(await client.get(PATH)) == (405, "invalid_request_error")
        nowhere = await client.send("GET", "/v1/nothing", headers=VERSION)
        assert refused(nowhere) == (404, "not_found_error")
        assert (await client.get("/v1/nothing")).error["code"] == "unknown_url"
        foreign = {"host": "evil.example"}
        told = await client.send("POST", PATH, json={}, headers=foreign)
        assert refused(told) == (403, "permission_error")


async def test_keys_in_either_header(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path) as client:
        limits = KeyLimits(requests_per_minute=2)
        key = await client.service.storage.create_key("ann", limits=limits)
        body = {"model": "bundled", "max_tokens": 4, "messages": [TURN]}

        async def status_with(headers: dict[str, str], path: str = PATH) -> tuple[int, str]:
            told = await client.send("POST", path, json=body, headers=headers)
            return (200, "") if told.status == 200 else refused(told)

        unknown = (401, "authentication_error")
        assert await status_with({}) == unknown
        assert await status_with({"x-api-key": "sk-ant-none"}, COUNT) == unknown
        shown = {"x-api-key": key.text}
        told = [await status_with(shown) for _ in range(5)]
        told += [await status_with({"authorization": f"Bearer {key.text}"})]
        assert told[0] == (200, "")
        assert (429, "rate_limit_error") in told[2:]
        assert await status_with(shown, COUNT) == (200, ""), "a count is no run"


async def test_the_key_is_checked_before_the_body_is_read(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path) as client:
        await client.service.storage.create_key("ann")
        read = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield b"{"
            await read.wait()

        headers = {"content-type": "application/json"}
        async with asyncio.timeout(10):
            told = await client.send("POST", PATH, data=endless(), headers=headers)
        read.set()
        assert refused(told) == (401, "authentication_error")


@pytest.mark.parametrize(
    ("limit", "is_spent", "expected"),
    [
        ("usd_per_day", True, (402, "billing_error")),
        ("usd_per_day", False, (429, "rate_limit_error")),
        ("tokens_per_minute", True, (429, "rate_limit_error")),
    ],
)
async def test_budgets(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    is_spent: bool,
    expected: tuple[int, str],
) -> None:
    async def over_limit(*_: object) -> None:
        raise OverLimit(limit, 7.0, is_spent=is_spent)

    key = await client.service.storage.create_key("ann")
    monkeypatch.setattr(client.service.storage, "admit", over_limit)
    told = await ask(client.with_key(key.text), stream=True)
    assert refused(told) == expected
    assert told.headers["retry-after"] == "7"


async def test_a_database_that_is_away_is_an_overload(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("it does not answer")

    key = await client.service.storage.create_key("ann")
    ann = client.with_key(key.text)
    monkeypatch.setattr(client.service.storage, "admit", away)
    assert refused(await ask(ann)) == (529, "overloaded_error")
    monkeypatch.setattr(client.service.storage, "authenticate", away)
    assert refused(await ask(ann)) == (529, "overloaded_error")


async def test_a_full_queue_is_an_overload(tmp_path: Path) -> None:
    async with over(tmp_path, chatter(), "running = 1\nqueued = 1") as (client, _):
        tasks = [asyncio.create_task(ask(client, model="p")) for _ in range(2)]
        assert await soon(lambda: client.service.admission.waiting == 1)
        told = await ask(client, model="p", stream=True)
        assert refused(told) == (529, "overloaded_error")
        assert int(told.headers["retry-after"]) >= 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_pair_that_is_not_open_is_an_overload(tmp_path: Path) -> None:
    toml = pair_toml("http://127.0.0.1:9/v1") + FAILING
    async with asked_gateway(tmp_path, toml, wait=False) as client:
        for told in (await ask(client, model="p"), await count(client, model="p")):
            assert refused(told) == (529, "overloaded_error")


async def test_a_client_that_leaves_ends_everything(tmp_path: Path) -> None:
    async with over(tmp_path, chatter("One.\n\n")) as (client, model):
        for stream in (False, True):
            task = asyncio.create_task(ask(client, model="p", stream=stream))
            assert await soon(lambda: model.open_streams == 1)
            task.cancel()
            assert await soon(lambda: client.is_idle and not model.open_streams)


async def test_a_model_that_fails_before_the_first_text(tmp_path: Path) -> None:
    async with over(tmp_path, say("", status=500)) as (client, _):
        for stream in (False, True):
            assert refused(await ask(client, model="p", stream=stream)) == (502, "api_error")


async def test_a_model_that_fails_after_a_ping(tmp_path: Path) -> None:
    torn = Reply([Said("")], pause=0.3, then="break")
    async with over(tmp_path, torn, "keepalive_seconds = 0.05") as (client, _):
        failed = await ask(client, model="p", stream=True)
    assert failed.status == 200
    kinds = [event["type"] for event in failed.chunks]
    assert kinds[:3] == ["message_start", "ping", "ping"]
    assert kinds[-1] == "error"
    assert ": keep-alive" not in failed.text


async def test_a_model_that_fails_in_the_middle(tmp_path: Path) -> None:
    torn = say("One thing.\n\nAnother", then="break")
    async with over(tmp_path, torn) as (client, _):
        streamed = await ask(client, model="p", stream=True, **SHOWN)
    last = streamed.chunks[-1]
    assert last["error"]["type"] == "api_error"
    assert last["request_id"] == streamed.headers["request-id"]
    (block,) = put_together(streamed.chunks[:-1])["content"]
    assert block["thinking"].startswith("One thing.")


async def test_a_shutdown_is_an_overload(tmp_path: Path) -> None:
    async with over(tmp_path, chatter("One.\n\n")) as (client, model):
        tasks = [
            asyncio.create_task(ask(client, model="p", stream=stream, **SHOWN))
            for stream in (False, True)
        ]
        assert await soon(lambda: model.open_streams == 2)
        await asyncio.sleep(0.1)
        client.service.give_up()
        whole, streamed = await asyncio.gather(*tasks)
        assert refused(whole) == (529, "overloaded_error")
        assert streamed.chunks[-1]["error"]["type"] == "overloaded_error"


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
