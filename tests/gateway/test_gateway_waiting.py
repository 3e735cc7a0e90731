"""Requests that wait or are given up: queues, clients that leave, a gateway that closes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.commands import served
from tests.conftest import soon
from tests.gateway.client import CHAT, asked_gateway
from tests.gateway.serving import chat, configured, gateway
from tests.gateway.test_gateway_upstream import THOUGHT, Upstream, always, pair_at, upstream
from tests.scripted_server import chatter, say
from tests.servers import free_port
from trigreason.gateway import catalogue, delivery

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stream", [False, True])
async def test_beyond_the_queue(tmp_path: Path, stream: bool) -> None:
    async with upstream(tmp_path, always(chatter()), "running = 1\nqueued = 1") as two:
        running = await two.open()
        waiting = asyncio.create_task(two.ask())
        assert await soon(lambda: two.client.service.admission.waiting == 1)
        told = await two.ask(stream=stream)
        assert (told.status, told.error["code"]) == (429, "queue_full")
        assert told.error["type"] == "rate_limit_error"
        assert int(told.headers["retry-after"]) >= 1
        for task in (running, waiting):
            task.cancel()


async def test_one_request_of_a_key_is_next_behind_the_queue_of_another(tmp_path: Path) -> None:
    async with upstream(tmp_path, always(chatter()), "running = 1") as two:
        made = [await two.client.service.storage.create_key(name) for name in ("ann", "bob")]
        ann, bob = (Upstream(two.client.with_key(key.text), two.srm) for key in made)
        first = await ann.open()
        waiting = [asyncio.create_task(ann.ask()) for _ in range(60)]
        assert await soon(lambda: two.client.service.admission.waiting == 60)
        turn = [{"role": "user", "content": "It is me."}]
        waiting.append(asyncio.create_task(bob.ask(messages=turn)))
        assert await soon(lambda: two.client.service.admission.waiting == 61)
        first.cancel()
        assert await soon(lambda: len(two.srm.bodies) == 2)
        assert "It is me." in two.srm.bodies[1]["prompt"]
        for task in waiting:
            task.cancel()
        await asyncio.gather(first, *waiting, return_exceptions=True)


async def test_too_long_in_the_queue(tmp_path: Path) -> None:
    limits = "running = 1\nrequest_seconds = 0.5\nkeepalive_seconds = 0.2"
    async with upstream(tmp_path, always(chatter()), limits) as two:
        running = await two.open()
        waiting = [asyncio.create_task(two.ask(stream=stream)) for stream in (False, True)]
        cut = await running
        assert cut.body["choices"][0]["finish_reason"] == "length"
        assert cut.body["trigreason"]["limit"] == "seconds"
        whole, streamed = await asyncio.gather(*waiting)
        outcomes = {whole.status, streamed.status}
        assert outcomes <= {200, 503}
        if whole.status == 503:
            assert whole.error["code"] == "queue_timeout"
        if streamed.chunks and "error" in streamed.chunks[-1]:
            assert streamed.chunks[-1]["error"]["code"] == "queue_timeout"


async def test_a_pair_that_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(catalogue.Catalogue, "READY_SECONDS", 0.0)
    async with served(always(say(THOUGHT))) as srm:
        here, later = srm.url.partition("@")[2], free_port()
        toml = pair_at(here, f"http://127.0.0.1:{later}/v1")
        async with asked_gateway(tmp_path, toml, wait=False) as client:
            assert (await client.chat(model="two")).status == 503
            assert (await client.get("/readyz")).status == 503
            assert (await client.get("/healthz")).status == 200
            async with asyncio.timeout(5), moved(later, here):
                await client.service.catalogue["two"].opened.wait()
                assert (await client.chat(model="two")).message["content"] == "Seven."
                assert (await client.get("/readyz")).status == 200
            assert (await client.get("/readyz")).body["pairs"]["two"].endswith("not answer")


@asynccontextmanager
async def moved(port: int, to: str) -> AsyncIterator[None]:
    """A port that leads to a server."""
    address = urlsplit(to)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def test_closing_does_not_wait_for_models_that_never_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        began = perf_counter()
        async with gateway(configured(tmp_path, pair_at(url, url)), wait=False):
            await asyncio.sleep(0.2)
        assert perf_counter() - began < 3


async def test_a_client_that_leaves_ends_everything(tmp_path: Path) -> None:
    async with upstream(tmp_path, always(chatter("One.\n\n"))) as two:
        for fields in ({}, {"stream": True}, {"n": 3}):
            task = await two.open(**fields)
            task.cancel()
            assert await soon(lambda: two.client.is_idle and not two.srm.open_streams)


@pytest.mark.slow
async def test_a_client_that_does_not_read_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "READING_SECONDS", 0.3)
    flood = always(say(("x" * 2000 + "\n\n") * 4000, per_chunk=50))
    limits = "running = 1\nrequest_seconds = 0.7"
    async with upstream(tmp_path, flood, limits) as two:
        client = two.client
        url = urlsplit(client.url)
        _, writer = await asyncio.open_connection(url.hostname, url.port, limit=1024)
        try:
            writer.write(_request(chat(model="two", stream=True, trigreason={"repeats": 0})))
            assert await soon(lambda: client.service.admission.running == 1)
            assert await soon(lambda: client.is_idle), "its place is free again"
        finally:
            writer.close()


def _request(body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def test_giving_up_tells_everybody_why(tmp_path: Path) -> None:
    async with upstream(tmp_path, always(chatter("One.\n\n")), "running = 3") as two:
        service = two.client.service
        running = [await two.open(stream=stream) for stream in (False, True)]
        held = await two.open()
        waiting = [asyncio.create_task(two.ask(stream=stream)) for stream in (False, True)]
        assert await soon(lambda: service.admission.waiting == 2)
        await asyncio.sleep(0.1)
        service.give_up()
        whole, streamed, *others = await asyncio.gather(*running, held, *waiting)
        assert streamed.chunks[-1]["error"]["code"] == "shutdown"
        for told in (whole, *others):
            assert (told.status, told.error["code"]) == (503, "shutdown")
        assert (service.admission.running, service.admission.waiting) == (0, 0)


async def test_a_fault_of_the_gateway_is_told_in_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ZeroDivisionError("sk-secret")

    monkeypatch.setattr(delivery, "carry_out", fails)
    async with upstream(tmp_path, ()) as two:
        for fields in ({}, {"stream": True}, {"n": 2}):
            told = await two.ask(**fields)
            assert (told.status, told.error["code"]) == (500, "internal_error")
            assert "secret" not in told.text
        monkeypatch.setattr(two.client.service.storage, "trace", fails)
        told = await two.client.get("/v1/traces/x")
        assert (told.status, told.error["code"]) == (500, "internal_error")
        assert "secret" not in told.text
