"""What ``/v1/messages`` refuses, and how it tells of failures, in Anthropic's shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import soon
from tests.gateway.client import Client, asked_gateway
from tests.gateway.messages.asking import (
    COUNT,
    FAILING,
    PATH,
    SHOWN,
    TURN,
    VERSION,
    ask,
    count,
    over,
    refused,
)
from tests.gateway.messages.test_answering import put_together
from tests.gateway.scripted import pair_toml
from tests.scripted_server import Reply, Said, chatter, say
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage import DatabaseAway, OverLimit

pytestmark = pytest.mark.slow

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
