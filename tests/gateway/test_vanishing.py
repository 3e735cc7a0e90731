"""Clients that go away: nothing of them stays, and nobody else notices."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.fast_upstream import fast_upstream
from bench.gateway_load import Client, opened
from tests.conftest import soon
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import GatewayProcess, chat, configured, gateway
from tests.gateway.whole_answers import Answer, asked, patient
from tests.scripted_server import Reply, ScriptedServer, chatter, words
from trigreason.bundled import problems
from trigreason.engines.http import HttpEngine
from trigreason.gateway.exchange import Exchange
from trigreason.gateway.service import Service

pytestmark = pytest.mark.slow

CLIENTS = 200
QUESTIONS = 10
LEAVING_SECONDS = 6.0
"""Within so long of their requests the clients that leave do so."""

REQUESTS_VARIABLE = "TRIGREASON_REQUESTS"
REQUESTS = int(os.environ.get(REQUESTS_VARIABLE, "2000"))
WARM_UP = 1000
MOST_GROWTH = 20e6 / 10_000
"""Bytes per request."""


async def test_of_200_clients_half_vanish_and_the_others_are_served_as_alone(
    tmp_path: Path,
) -> None:
    asking = [chat(each.question, seed=seed) for seed, each in enumerate(problems()[:QUESTIONS])]
    moments = random.Random(4)
    async with gateway(configured(tmp_path)) as (url, service):
        async with patient() as session:
            alone = [(await asked(session, url, body)).text for body in asking]
        assert await soon(lambda: not service.live)
        before = Held.by(service, tmp_path)
        async with patient() as session:

            async def stay(index: int) -> Answer:
                return await asked(session, url, asking[index % QUESTIONS])

            async def leave(index: int) -> None:
                try:
                    async with asyncio.timeout(moments.uniform(0, LEAVING_SECONDS)):
                        await asked(session, url, asking[index % QUESTIONS])
                except TimeoutError:
                    return

            leaving = [asyncio.create_task(leave(index)) for index in range(CLIENTS // 2)]
            answers = await asyncio.gather(*(stay(index) for index in range(CLIENTS // 2)))
            await asyncio.gather(*leaving)
        for index, answer in enumerate(answers):
            assert answer.is_whole, answer.body
            assert answer.text == alone[index % QUESTIONS]
        assert await soon(lambda: Held.by(service, tmp_path) == before), (
            f"{Held.by(service, tmp_path)}, {before}"
        )
        assert await idle_slots(service)
        page = service.telemetry.metrics_page()[0].decode()
        assert 'outcome="cancelled"' in page
        assert "trigreason_open_requests 0.0" in page


def open_files() -> Iterator[str]:
    """What every descriptor of this process stands for."""
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that lists them
            yield os.readlink(f"/proc/self/fd/{descriptor}")


class Held(tuple[int, ...]):
    """What a gateway in this process holds: tasks, files and sockets, places, exchanges.

    Without the files in ``folder``: the database's connections, of which there are a few at most,
    are opened when they are first needed at the same time.
    """

    @classmethod
    def by(cls, service: Service, folder: Path) -> Held:
        gc.collect()
        return cls(
            (
                len(asyncio.all_tasks()),
                sum(not opened.startswith(str(folder)) for opened in open_files()),
                service.admission.running,
                service.admission.waiting,
                len(service.live),
                sum(isinstance(each, Exchange) for each in gc.get_objects()),
            )
        )


async def idle_slots(service: Service) -> bool:
    """Whether no slot of any model comes to work within a second."""
    async with aiohttp.ClientSession() as session:
        for engine in service.catalogue["bundled"].engines.values():
            assert isinstance(engine, HttpEngine)
            for _ in range(100):
                async with session.get(f"{engine.url.removesuffix('/v1')}/slots") as response:
                    slots = await response.json()
                if not any(slot["is_processing"] for slot in slots):
                    break
                await asyncio.sleep(0.01)
            else:
                return False
    return True


@asynccontextmanager
async def leaving(url: str, *, streamed: bool) -> AsyncIterator[asyncio.StreamReader]:
    """A request to the pair ``p``; on leaving, its client is gone."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(chat(model="p", stream=streamed)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    try:
        yield reader
    finally:
        writer.close()


@asynccontextmanager
async def before_scripted(
    folder: Path, server: ScriptedServer, **limits: Any
) -> AsyncIterator[tuple[str, Service]]:
    toml = pair_toml(server.url) + "[gateway]\n[gateway.limits]\n"
    toml += "".join(f"{key} = {value}\n" for key, value in limits.items())
    async with gateway(configured(folder, toml)) as found:
        yield found


MOMENTS = {
    "before the upstream's first byte": (chatter(), True),
    "before the first token": (Reply(words("never"), pause=60), False),
    "in the middle": (chatter("first words\n\n"), False),
    "in a silence": (Reply(words("so far\n\nand"), then="stall"), False),
}


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_upstream_is_closed_within_a_second(
    tmp_path: Path, moment: str, streamed: bool
) -> None:
    reply, is_silent = MOMENTS[moment]
    async with (
        scripted(lambda _: reply, is_silent) as server,
        before_scripted(tmp_path, server) as (url, service),
    ):
        async with leaving(url, streamed=streamed) as reader:
            assert await soon(lambda: server.open_streams == 1)
            if streamed and moment in ("in the middle", "in a silence"):
                assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            else:
                await asyncio.sleep(0.1)
        assert await soon(lambda: server.open_streams == 0)
        assert await soon(lambda: not service.live)
        assert (service.admission.running, service.admission.waiting) == (0, 0)


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_who_leaves_the_queue_is_never_asked_for(tmp_path: Path, streamed: bool) -> None:
    async with (
        scripted(lambda _: chatter()) as server,
        before_scripted(tmp_path, server, running=1) as (url, service),
    ):
        async with leaving(url, streamed=True):
            assert await soon(lambda: server.open_streams == 1)
            async with leaving(url, streamed=streamed):
                assert await soon(lambda: service.admission.waiting == 1)
            assert await soon(lambda: service.admission.waiting == 0)
            assert (service.admission.running, len(service.live)) == (1, 1)
        assert await soon(lambda: server.open_streams == 0 and service.admission.running == 0)
        assert len(server.bodies) == 1


async def test_memory_does_not_grow_with_requests(tmp_path: Path) -> None:
    with fast_upstream(steps=3) as upstream:
        toml = pair_toml(upstream) + "[pairs.p.thresholds]\nn = 1\n"
        process = GatewayProcess(tmp_path, toml)
        try:
            process.wait_until_ready()
            await ask_often(f"{process.url}/v1", WARM_UP)
            before = resident_bytes(process.process.pid)
            await ask_often(f"{process.url}/v1", REQUESTS)
            growth = resident_bytes(process.process.pid) - before
        finally:
            process.stop()
    print(f"{REQUESTS} requests: {growth / 1e6:.1f} MB more, of {before / 1e6:.0f} MB")
    assert growth < MOST_GROWTH * REQUESTS


async def ask_often(url: str, times: int, clients: int = 8) -> None:
    """So many whole answers, through a few connections."""
    left = iter(range(times))

    async def lane(client: Client) -> None:
        for _ in left:
            await client.ask()

    connected = [await opened(url, "p") for _ in range(clients)]
    await asyncio.gather(*map(lane, connected))
    for client in connected:
        client.close()


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
