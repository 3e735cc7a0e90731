"""Servers that go on and on: bodies without an end, bodies that inflate, heads, redirects."""

from __future__ import annotations

import asyncio
import gzip
import re
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from trigreason.engines import bodies
from trigreason.engines.base import (
    EngineError,
    EngineFailed,
    EngineUnreachable,
    Prefix,
    Request,
    Sampling,
)
from trigreason.engines.chat_apis import DEEPSEEK
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.engines.identify import Visit
from trigreason.engines.llama_cpp import ask_props
from trigreason.engines.ollama import OllamaEngine, ask_show
from trigreason.engines.probing.facts import ServerFacts, ServerPages
from trigreason.engines.sglang import SglangGenerateEngine
from trigreason.reasoning import Message

PREFIX = Prefix((Message("user", "Why?"),))
PIECE = b"x" * 2**16
ENOUGH = 300 * 2**20
"""Bytes after which even a server without an end gives up, lest a failing test fills memory."""

ENGINES: dict[str, Callable[[str], HttpEngine]] = {
    "completions": lambda url: CompletionsEngine(url, "m", timeouts=Timeouts(connect=0.5, read=2)),
    "chat": lambda url: ChatPrefixEngine(url, "m", api=DEEPSEEK),
    "ollama": lambda url: OllamaEngine(url, "m"),
    "sglang": lambda url: SglangGenerateEngine(url, "m"),
}
Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(manner: Manner) -> AsyncIterator[str]:
    """A server that answers everything in its manner."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        try:
            await manner(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def endless(head: bytes, piece: bytes = PIECE, pause: float = 0.0) -> Manner:
    """A head, and the same piece again and again."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(ENOUGH // len(piece)):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return send


def once(answer: bytes) -> Manner:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return send


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most bytes that were held at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


async def failure(engine: HttpEngine) -> EngineError:
    try:
        with pytest.raises(EngineError) as caught:
            async with (
                asyncio.timeout(20),
                engine.send(Request(PREFIX, Sampling(), max_tokens=9)),
            ):
                pass
    finally:
        await engine.close()
    assert "\n" not in str(caught.value)
    return caught.value


FAILED = b"HTTP/1.1 500 Broken\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize("name", ENGINES)
async def test_an_error_without_an_end(name: str, peak: Callable[[], int]) -> None:
    async with serving(endless(FAILED + b"\r\n")) as url:
        error = await failure(ENGINES[name](url))
    assert isinstance(error, EngineFailed)
    assert "status 500 (xxx" in error.what
    assert peak() < 16 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
async def test_an_error_that_inflates(name: str, peak: Callable[[], int]) -> None:
    bomb = gzip.compress(b"x", 1) + gzip.compress(bytes(2**27), 1)
    tracemalloc.reset_peak()
    head = b"%bcontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % (FAILED, len(bomb))
    async with serving(once(head + bomb)) as url:
        error = await failure(ENGINES[name](url))
    assert isinstance(error, EngineFailed)
    assert peak() < 16 * 2**20


async def test_an_error_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ERROR_SECONDS", 0.3)
    began = perf_counter()
    async with serving(endless(FAILED + b"\r\nout of memory", b" ", 0.02)) as url:
        error = await failure(ENGINES["completions"](url))
    assert error.what == "the server failed with status 500 (out of memory)"
    assert perf_counter() - began < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (endless(b"HTTP/1.1 200 OK\r\n", b"x-y: z\r\n" * 999), "no answer .Too many headers"),
        (endless(b"HTTP/1.1 200 OK\r\nx: "), "no answer .Got more than"),
        (endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", 0.02), "no answer"),
        (
            once(
                b"HTTP/1.1 307 Go\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ),
            "no answer .it redirects again and again",
        ),
    ],
    ids=["headers", "a header", "a header byte by byte", "redirects"],
)
async def test_no_answer_at_all(manner: Manner, told: str) -> None:
    began = perf_counter()
    async with serving(manner) as url:
        error = await failure(ENGINES["completions"](url))
    assert isinstance(error, EngineUnreachable)
    assert pytest.raises(EngineError, match=told).matches(error)
    assert perf_counter() - began < 5


FOUND = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


async def test_pages_without_an_end(peak: Callable[[], int]) -> None:
    async with serving(endless(FOUND)) as url:
        async with Visit(f"{url}/v1", {}, 20) as visit:
            with pytest.raises(EngineUnreachable, match=r"longer than 8,388,608 bytes"):
                await visit.listed()
            assert await visit.dialect([]) == "generic"
        assert await ask_props(url, seconds=20) is None
        assert await ask_show(url, "m") is None
        async with ServerPages(url, {}, 20) as pages:
            assert await pages.facts() == ServerFacts()
    assert peak() < 128 * 2**20, "some of them are asked for at the same time"


async def test_a_list_that_fails_without_an_end(peak: Callable[[], int]) -> None:
    async with serving(endless(FAILED + b"\r\n")) as url, Visit(f"{url}/v1", {}, 20) as visit:
        with pytest.raises(EngineFailed, match="status 500"):
            await visit.listed()
    assert peak() < 16 * 2**20
