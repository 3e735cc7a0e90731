"""The fault proxy and the continuing double do what they say, and an engine survives it.

Whatever happens at whatever byte, an engine gives a beginning of the tokens and then a typed error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from email.utils import formatdate
from time import time
from typing import Any, NamedTuple, get_args

import aiohttp
import pytest

from tests.conftest import soon
from tests.continuing_server import TOKEN_BYTES, ContinuingServer, Shape, compact, continuing
from tests.fault_proxy import HTML, Break, Fault, How, Instead, faulty
from tests.scripted_server import SURE, UNSURE
from trigreason.engines.base import (
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    Finish,
    Prefix,
    Request,
    Sampling,
)
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import Timeouts
from trigreason.engines.sse import LAST, EventLines
from trigreason.engines.wire import Choice, decode_chunk, tokens_of
from trigreason.reasoning import Message, Token, join_text

TEXT = "Né 4 €: 😀 surely\n\n```\na\n\nb\n```\n\nSo 7.</think>\n\n7 €"
QUESTION = (Message("user", "Why?"),)
PATIENT, IMPATIENT = Timeouts(), Timeouts(read=0.2)
ENDLESS = 30.0
"""Seconds after which a request is taken for one that would never end."""
FRAMING = 120
"""About what the status line, the headers and the sizes of the chunks come to, in bytes."""
HOWS = get_args(How)
SHAPES = get_args(Shape)


class Outcome(NamedTuple):
    """What an engine gave: tokens, and either the server's word on the end or an error."""

    tokens: list[Token]
    finish: Finish | None
    error: EngineError | None


async def stream(
    url: str, written: str = "", timeouts: Timeouts = PATIENT, **request: Any
) -> Outcome:
    engine = CompletionsEngine(url, "m", timeouts=timeouts)
    try:
        return await outcome(engine, written, **request)
    finally:
        await engine.close()


async def outcome(
    engine: CompletionsEngine, written: str = "", *, max_tokens: int = 500, alternatives: int = 0
) -> Outcome:
    tokens: list[Token] = []
    try:
        async with engine.send(
            Request(
                Prefix(QUESTION, written),
                Sampling(),
                max_tokens=max_tokens,
                alternatives=alternatives,
            )
        ) as running:
            async for arrived in running:
                tokens += arrived
            return Outcome(tokens, running.finish, None)
    except EngineError as error:
        return Outcome(tokens, None, error)


def text_of(tokens: Iterable[Token]) -> str:
    return join_text([token.text for token in tokens])


async def recorded(url: str) -> bytes:
    """The body of the whole answer, as it comes."""
    engine = CompletionsEngine(url, "m")
    body = engine.request_body(Request(Prefix(QUESTION), Sampling(), 500, 0))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/completions", json=body) as response,
    ):
        return await response.read()


# The double


@pytest.mark.parametrize("shape", SHAPES)
async def test_it_continues_from_any_character(shape: Shape) -> None:
    async with continuing(TEXT, shape=shape) as server:
        for cut in range(len(TEXT) + 1):
            tokens, finish, _ = await stream(server.url, TEXT[:cut])
            assert TEXT[:cut] + text_of(tokens) == TEXT
            assert finish is Finish.STOP
    assert not server.strayed


@pytest.mark.parametrize("shape", SHAPES)
async def test_it_divides_characters(shape: Shape) -> None:
    """The server's tokens, by their lengths in bytes; llama.cpp tells some of them as one."""
    async with continuing(TEXT, shape=shape) as server:
        tokens, _, _ = await stream(server.url)
    whole = [token.text for token in tokens if token.text]
    count, left = 0, len(TEXT.encode())
    while left > 0:
        left -= TOKEN_BYTES[count % len(TOKEN_BYTES)]
        count += 1
    assert len(tokens) == (len(whole) if shape == "chat" else count)
    assert len(whole) < count
    assert {token.logprob for token in tokens} == {SURE, UNSURE}


async def test_it_keeps_to_max_tokens() -> None:
    async with continuing("one and two") as server:
        tokens, finish, _ = await stream(server.url, max_tokens=3)
        whole = await stream(server.url, max_tokens=6)
    assert text_of(tokens) == "one an"
    assert finish is Finish.LENGTH
    assert (text_of(whole.tokens), whole.finish) == ("one and two", Finish.STOP)


@pytest.mark.parametrize(
    ("written", "rest"),
    [
        ("Né 4 €: \n</think>\n\n", "7 €"),
        ("Né 4 €: \n</think>\n\n7", " €"),
        ("Né 4 €: \n</think>", "7 €"),
    ],
)
async def test_thinking_closed_for_it_is_followed_by_the_answer(written: str, rest: str) -> None:
    async with continuing(TEXT) as server:
        assert text_of((await stream(server.url, written)).tokens) == rest


@pytest.mark.parametrize("written", ["Ne", "Né 4 € ", "4", TEXT + "!", "Né</think>\n\n8"])
async def test_text_lost_or_doubled_is_refused(written: str) -> None:
    async with continuing(TEXT) as server:
        _, _, error = await stream(server.url, written)
    assert isinstance(error, EngineRefused)
    assert server.strayed == [written]


# The proxy


@pytest.mark.parametrize("raw", [False, True])
async def test_it_delivers_so_many_bytes(raw: bool) -> None:
    """Read without HTTP, from the socket."""
    async with continuing(TEXT) as server:
        whole = await recorded(server.url)
        for after in (0, 1, 17, 300, len(whole)):
            wire = await told_on_the_wire(server.url, Break("close", after, raw))
            head, _, body = wire.partition(b"\r\n\r\n")
            if raw:
                assert len(wire) == after
                assert wire.startswith(b"HTTP/1.1 200"[:after])
            else:
                assert head.startswith(b"HTTP/1.1 200")
                assert unchunked(body) == whole[:after]


async def told_on_the_wire(url: str, fault: Fault) -> bytes:
    asked = compact(
        CompletionsEngine(url, "m").request_body(Request(Prefix(QUESTION), Sampling(), 500, 0))
    )
    async with faulty(url, [fault]) as proxy:
        port = int(proxy.url.rpartition(":")[2].removesuffix("/v1"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b"POST /v1/completions HTTP/1.1\r\nContent-Type: application/json\r\n"
        writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(asked), asked))
        told = await reader.read()
        writer.close()
        assert await soon(lambda: proxy.clients == 0)
    return told


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


async def test_a_closed_stream_is_closed_on_both_sides() -> None:
    async with continuing(TEXT, pause=0.005) as server, faulty(server.url) as proxy:
        engine = CompletionsEngine(proxy.url, "m")
        async with engine.send(Request(Prefix(QUESTION), Sampling(), max_tokens=99)) as running:
            await anext(aiter(running))
            assert (proxy.clients, proxy.calls, proxy.upstreams) == (1, 1, 1)
            assert server.open_streams == 1
        assert await soon(lambda: not proxy.clients and proxy.is_idle)
        assert await soon(lambda: not server.open_streams)
        await engine.close()


async def test_a_connection_is_kept_after_a_whole_answer() -> None:
    truncated = Break("truncate", 300)
    async with continuing(TEXT) as server, faulty(server.url, [None, truncated]) as proxy:
        engine = CompletionsEngine(proxy.url, "m")
        for _ in range(3):
            await outcome(engine)
        assert (len(proxy.asked), proxy.clients, proxy.calls) == (3, 1, 0)
        assert proxy.happened == [truncated]
        await engine.close()
        assert await soon(lambda: proxy.clients == 0)


# What an engine makes of it


async def happen(server: ContinuingServer, fault: Fault, timeouts: Timeouts = PATIENT) -> Outcome:
    """A request that meets a fault; nothing of it is left afterwards."""
    async with faulty(server.url, [fault]) as proxy, asyncio.timeout(ENDLESS):
        met = await stream(proxy.url, timeouts=timeouts)
        assert await soon(lambda: not proxy.clients and proxy.is_idle)
    return met


def tokens_in(body: bytes) -> tuple[list[Token], bool]:
    """The tokens of the events that are whole, and whether they say why the stream ended."""
    choices: list[Choice] = []
    with suppress(EngineError):  # the last one may be torn
        for each in EventLines().feed(body + LAST):
            if each != b"[DONE]":
                choices += decode_chunk(each, "the recording").choices or ()
    tokens = [token for choice in choices for token in tokens_of(choice)]
    return tokens, any(choice.finish_reason for choice in choices)


async def at_once(running: Iterable[Coroutine[Any, Any, None]], width: int = 24) -> None:
    """All of them, so many at a time."""
    waiting = iter(running)

    async def one_after_the_other() -> None:
        for each in waiting:
            await each

    await asyncio.gather(*(one_after_the_other() for _ in range(width)))


def offsets(length: int, every: int) -> range:
    """Places in a stream, before its first byte and after its last one included."""
    return range(0, length + 1, every)


FEW = pytest.param(127, id="few")
MANY = pytest.param(3, id="many", marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize("every", [FEW, MANY])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", HOWS)
async def test_a_fault_in_the_body(how: How, shape: Shape, every: int) -> None:
    async with continuing(TEXT, shape=shape) as server:
        whole = await recorded(server.url)
        right = await stream(server.url)

        async def meet(after: int) -> None:
            timeouts = IMPATIENT if how == "stall" else PATIENT
            tokens, finish, error = await happen(server, Break(how, after), timeouts)
            delivered, told_why = tokens_in(whole[:after])
            assert tokens == right.tokens[: len(tokens)], f"at byte {after}"
            if how == "slow":
                assert (tokens, finish) == (right.tokens, right.finish)
                return
            assert error is None or error.transient
            if how == "garbage":
                assert len(delivered) - len(tokens) <= 1  # it is glued to an event without its end
                assert error is not None or tokens == right.tokens
            elif how == "error":
                assert len(tokens) - len(delivered) in (0, 1)  # its first line end may complete one
                assert error is not None or told_why
            else:
                assert tokens == delivered or (how == "stall" and len(tokens) < len(delivered))
                assert error is not None or told_why

        await at_once(meet(after) for after in offsets(len(whole), every))


@pytest.mark.parametrize("every", [FEW, MANY])
@pytest.mark.parametrize("how", ["reset", "close", "slow", "garbage"])
async def test_a_fault_on_the_wire(how: How, every: int) -> None:
    """In the status line, in a header, in a chunk's size: never anything but a typed error.

    Garbage may leave a client waiting for the rest of a header, or of a chunk.
    """
    async with continuing(TEXT) as server:
        length = len(await recorded(server.url)) + FRAMING
        right = await stream(server.url)

        async def meet(after: int) -> None:
            timeouts = IMPATIENT if how == "garbage" else PATIENT
            tokens, finish, error = await happen(server, Break(how, after, raw=True), timeouts)
            assert tokens == right.tokens[: len(tokens)], f"at byte {after}"
            assert error is None or error.transient
            assert error is not None or (tokens, finish) == (right.tokens, right.finish)

        await at_once(meet(after) for after in offsets(length, every))


def at(seconds: float) -> str:
    """A date so many seconds from now, as a header writes it."""
    return formatdate(time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("answer", "kind", "after"),
    [
        (Instead(429), EngineBusy, None),
        (Instead(429, headers={"Retry-After": "7"}), EngineBusy, 7),
        (Instead(429, headers={"Retry-After": at(9000)}), EngineBusy, 9000),
        (Instead(500), EngineFailed, None),
        (Instead(503, headers={"Retry-After": "0.5"}), EngineFailed, 0.5),
        (Instead(502, HTML), EngineFailed, None),
        (Instead(200, HTML), EngineError, None),
        (Instead(200, HTML, {"Content-Type": "text/html"}), EngineError, None),
        (Instead(200, b""), EngineError, None),
    ],
)
async def test_an_answer_in_the_servers_place(
    answer: Instead, kind: type[EngineError], after: float | None
) -> None:
    async with continuing(TEXT) as server:
        tokens, _, error = await happen(server, answer)
    assert tokens == []
    assert isinstance(error, kind)
    assert error.transient
    assert "\n" not in str(error)
    assert error.retry_after == (None if after is None else pytest.approx(after, rel=0.2))
