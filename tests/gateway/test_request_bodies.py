"""Bodies and heads: who may send them, how large, for how long, and whom they hold up."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.gateway_bodies import BODIES, COUNT, measured
from tests.conftest import soon
from tests.gateway.client import CHAT, Client, asked_gateway
from tests.gateway.serving import chat
from trigreason.gateway import connections, request_bodies
from trigreason.gateway.errors import ApiError
from trigreason.gateway.request_bodies import Bodies

pytestmark = pytest.mark.slow

WRONG = "tr-0123456789-" + "a" * 43
MEGABYTES = 4 * 2**20


async def connected(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    asyncio.get_running_loop().call_later(8, writer.close)  # also where a test fails
    return reader, writer


def head(length: int, key: str = "") -> bytes:
    lines = [
        *(f"POST {CHAT} HTTP/1.1", "host: localhost", "content-type: application/json"),
        f"content-length: {length}",
        *([f"authorization: Bearer {key}"] if key else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def test_a_wrong_key_is_refused_before_the_body(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path) as client:
        await client.service.storage.create_key("ann")
        reader, writer = await connected(client)
        writer.write(head(MEGABYTES, WRONG))
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert answer.startswith(b"HTTP/1.1 401 ")
        writer.close()


async def test_the_rest_of_a_refused_body_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REST_SECONDS", 0.1)
    async with asked_gateway(tmp_path) as client:
        await client.service.storage.create_key("ann")
        reader, writer = await connected(client)
        writer.write(head(MEGABYTES, WRONG))

        async def trickle() -> None:
            while True:
                writer.write(b" ")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
            with suppress(ConnectionResetError):
                await reader.read()  # to the connection's end
        trickling.cancel()
        writer.close()


async def test_a_body_that_does_not_come_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "PATIENCE", 0.1)
    async with asked_gateway(tmp_path) as client:
        reader, writer = await connected(client)
        writer.write(head(100) + b"{")
        answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"body_timeout"' in answer
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nhost: lo"])
async def test_a_head_that_does_not_come_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    async with asked_gateway(tmp_path, wait=False) as client:
        reader, writer = await connected(client)
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_head_without_an_end_is_refused(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, wait=False) as client:
        reader, writer = await connected(client)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n")
        for index in range(3):
            writer.write(f"x-{index}: ".encode() + b"x" * 40_000 + b"\r\n")
            await asyncio.sleep(0.01)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_client_that_leaves_within_its_body_is_forgotten(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, wait=False) as client:
        _, writer = await connected(client)
        writer.write(head(MEGABYTES) + b"{" * 200_000)
        assert await soon(lambda: client.service.bodies._room.running > 0)
        writer.close()
        assert await soon(lambda: client.service.bodies._room.running == 0)


async def test_large_bodies_of_one_source_take_turns(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, wait=False) as client:
        room = client.service.bodies._room
        writers = [(await connected(client))[1] for _ in range(3)]
        for writer in writers:
            writer.write(head(MEGABYTES) + b" " * 100_000)
        assert await soon(lambda: room.running == MEGABYTES)
        await asyncio.sleep(0.1)
        assert (room.running, room.waiting) == (MEGABYTES, 0), "one is read, and none is waiting"
        small = await client.send(
            "POST", CHAT, data=b"{}", headers={"content-type": "application/json"}
        )
        assert small.status == 400, "who is small does not wait"
        for writer in writers:
            writer.close()
        assert await soon(lambda: room.running == 0)


@pytest.mark.slow
@pytest.mark.parametrize("key_is_right", [False, True])
@pytest.mark.parametrize("what", BODIES)
async def test_a_stream_goes_on_beside_large_bodies(
    tmp_path: Path, what: str, key_is_right: bool
) -> None:
    works = []  # not the gaps themselves: other programs of the machine make those longer
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        seen = await measured(folder, what, key_is_right)
        assert seen.statuses == {"400" if key_is_right else "401": COUNT}
        assert seen.growth < 100e6
        works.append(seen.most_work)
        if works[-1] < 0.1:
            return
    raise AssertionError(f"the gateway worked {works} seconds between two pieces of a stream")


ROW = '{"role":"user","content":"?"}'
TOO_MUCH = {
    "messages": f'{{"messages":[{",".join([ROW] * 100_000)}]}}',
    "lists": f'{{"x":[{"[]," * 100_000}[]]}}',
    "objects": f'{{"x":[{"{}," * 100_000}{{}}]}}',
    "numbers": f'{{"x":[{"1," * 100_000}1]}}',
    "texts": '{"x":[' + '"",' * 100_000 + '""]}',
    "a thousand and one messages": f'{{"messages":[{",".join([ROW] * 1001)}]}}',
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_in_a_body(what: str) -> None:
    reading = Bodies(MEGABYTES, 1000)
    with pytest.raises(ApiError) as refused:
        reading.parsed(TOO_MUCH[what].encode())
    assert refused.value.status == 400
    assert "at most" in refused.value.message


HARMLESS = ('say "[,{"', "\\", '\\"', ',"' * 100_000, "[{" * 100_000, "é😀", "\\" * 9)


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("escaped", [True, False])
def test_what_stands_in_a_text_does_not_count(text: str, escaped: bool) -> None:
    body = chat(text, metadata={text: text})
    data = json.dumps(body, ensure_ascii=escaped).encode()
    assert Bodies(MEGABYTES, 1000).parsed(data) == body


def test_many_messages_may_be_allowed() -> None:
    data = f'{{"messages":[{",".join([ROW] * 40_000)}]}}'.encode()
    assert len(Bodies(MEGABYTES, 40_000).parsed(data)["messages"]) == 40_000
