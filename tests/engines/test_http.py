"""What all HTTP engines share: connections, keys, and streams that break at any byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.scripted_server import listening, say, serve
from trigreason.engines import http_stream
from trigreason.engines.base import (
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineUnreachable,
    Finish,
    Prefix,
    Request,
    Sampling,
    Usage,
)
from trigreason.engines.completions import CompletionsEngine, CompletionStream
from trigreason.engines.http import Timeouts
from trigreason.reasoning import Message, Token

PREFIX = Prefix((Message("user", "Why?"),))
QUICK = Timeouts(connect=5, read=0.2)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read(engine: CompletionsEngine) -> str:
    async with engine.send(Request(PREFIX, Sampling(), max_tokens=50)) as stream:
        return "".join([token.text async for tokens in stream for token in tokens])


@asynccontextmanager
async def answering(handler: Handler, timeouts: Timeouts = QUICK) -> Any:
    app = web.Application()
    app.router.add_post("/v1/completions", handler)
    async with listening(app) as root:
        engine = CompletionsEngine(f"{root}/v1", "m", api_key="secret", timeouts=timeouts)
        try:
            yield engine
        finally:
            await engine.close()


async def failure(handler: Handler, timeouts: Timeouts = QUICK) -> EngineError:
    async with answering(handler, timeouts) as engine:
        with pytest.raises(EngineError) as caught:
            await read(engine)
    line = f"{caught.value!s} {engine!r}"
    assert "\n" not in line
    assert "secret" not in f"{line} {caught.value!r}"
    return caught.value


def page(text: str, content_type: str, status: int = 200, **headers: str) -> Handler:
    async def show(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type, status=status, headers=headers)

    return show


@pytest.mark.parametrize(
    ("handler", "kind", "told"),
    [
        (page("<html>Sign in</html>", "text/html"), EngineFailed, "no stream .<html>Sign in"),
        (page('{"choices": []}', "application/json"), EngineFailed, "no stream"),
        (page('{"error": {"code": 429}}', "application/json"), EngineBusy, "429"),
        (page("", "text/event-stream"), EngineUnreachable, "without saying why"),
        (page("<html>Down</html>", "text/html", 502), EngineFailed, "status 502"),
    ],
)
async def test_what_is_no_stream(handler: Handler, kind: type[EngineError], told: str) -> None:
    error = await failure(handler)
    assert type(error) is kind
    assert error.transient
    assert pytest.raises(kind, match=told).matches(error)


async def test_when_to_try_again() -> None:
    busy = page("", "text/plain", 429, **{"Retry-After": "7"})
    assert (await failure(busy)).retry_after == 7
    down = page("", "text/plain", 503, **{"Retry-After": "2"})
    assert (await failure(down)).retry_after == 2


async def test_a_server_that_says_nothing() -> None:
    async def stall(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    assert isinstance(await failure(stall), EngineUnreachable)


async def test_a_stream_that_falls_silent() -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices": [{"text": "a"}]}\n\n')
        await asyncio.sleep(30)
        return response

    error = await failure(stall)
    assert isinstance(error, EngineUnreachable)
    assert "broke off" in error.what


@pytest.mark.parametrize("sent", [b"data: " + b"x" * 5000, b"x" * 5000])
async def test_a_line_without_an_end(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(http_stream, "LONGEST_PAYLOAD", 100_000)
    written = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_event("a") * 2000)
        while written < 50e6:
            await response.write(sent.removeprefix(b"data: ") if written else sent)
            written += len(sent)
        return response

    error = await failure(handler)
    assert isinstance(error, EngineFailed)
    assert "bytes without an event" in error.what
    assert written < 10e6


async def test_more_text_than_any_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_stream, "LONGEST_TEXT", 10_000)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(12):
            await response.write(_event("x" * 1000))
        await response.write(_event("", "stop"))
        return response

    error = await failure(handler)
    assert isinstance(error, EngineFailed)
    assert error.what == "the stream brought more than 10,000 characters of text"


async def test_nothing_is_read_after_the_end() -> None:
    """A server may keep the connection open after its last event."""

    async def lingering(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices": [{"text": "a", "finish_reason": "stop"}]}\n\n')
        await response.write(b"data: [DONE]\n\ndata: not for us\n\n")
        await asyncio.sleep(30)
        return response

    async with answering(lingering, Timeouts(read=10)) as engine, asyncio.timeout(5):
        assert await read(engine) == "a"


async def test_one_connection_serves_many_requests() -> None:
    async with serve([say("a"), say("b"), say("c")]) as server:
        engine = CompletionsEngine(server.url, "m")
        assert [await read(engine) for _ in range(3)] == ["a", "b", "c"]
        await engine.close()
        await engine.close()


@pytest.mark.parametrize("name", ["connect", "read"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_timeout_takes_time(name: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"the {name} timeout must be above 0 seconds"):
        Timeouts(**{name: seconds})


# A stream that breaks

TEXTS = ("So", " é", "😀", "\n\n", "x")


def _event(text: str, finish: str | None = None) -> bytes:
    event = {"choices": [{"text": text, "finish_reason": finish}]}
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\r\n\r\n"


RECORDED = (
    b": keep-alive\n\n"
    + b"".join(_event(text) for text in TEXTS)
    + _event("", "stop")
    + b'data: {"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 5}}\n\n'
    + b"data: [DONE]\n\n"
)


class Pieces:
    """A response body that arrives in pieces and then ends, or breaks."""

    def __init__(self, pieces: Sequence[bytes], error: Exception | None = None) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._error = error

    def read_nowait(self) -> bytes:
        return b""

    async def readany(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self._error is not None:
            raise self._error
        return b""


async def outcome(body: Pieces) -> tuple[list[Token], CompletionStream, EngineError | None]:
    response: Any = SimpleNamespace(content=body)
    stream = CompletionStream(response, "m at there", False)
    tokens: list[Token] = []
    try:
        async for arrived in stream:
            tokens += arrived
    except EngineError as error:
        return tokens, stream, error
    return tokens, stream, None


BREAKS = [
    None,
    aiohttp.ClientPayloadError("Response payload is not completed"),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError(),
]


@pytest.mark.parametrize("error", BREAKS, ids=lambda error: type(error).__name__)
async def test_cut_at_every_byte(error: Exception | None) -> None:
    whole = "".join(TEXTS)
    ended = RECORDED.index(b"stop") + len(b'stop"}]}')
    for cut in range(len(RECORDED) + 1):
        tokens, stream, failed = await outcome(Pieces([RECORDED[:cut]], error))
        assert whole.startswith("".join(token.text for token in tokens))
        if cut < ended:
            assert isinstance(failed, EngineUnreachable)
            assert "\n" not in str(failed)
        elif error is None or cut > RECORDED.index(b"[DONE]") + 6:
            assert failed is None
            assert stream.finish is Finish.STOP
            assert tuple(token.text for token in tokens) == TEXTS


async def test_split_at_every_byte() -> None:
    for cut in range(len(RECORDED) + 1):
        tokens, stream, failed = await outcome(Pieces([RECORDED[:cut], RECORDED[cut:]]))
        assert failed is None
        assert tuple(token.text for token in tokens) == TEXTS
        assert stream.usage == Usage(4, None, 5)


async def test_byte_by_byte() -> None:
    pieces = [RECORDED[at : at + 1] for at in range(len(RECORDED))]
    tokens, _, failed = await outcome(Pieces(pieces))
    assert failed is None
    assert tuple(token.text for token in tokens) == TEXTS


async def test_what_arrived_with_a_failure_counts() -> None:
    tokens, _, failed = await outcome(Pieces([_event("a") + b"data: {broken\n" + _event("b")]))
    assert tokens == [Token("a")]
    assert isinstance(failed, EngineFailed)


EVENT = b'data: {"choices": [{"text": "a", "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize("pieces", [[], [b": still here\n\n"], [EVENT.replace(b"stop", b"length")]])
async def test_what_stays_open_behind_its_finish_is_left(
    pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trigreason.engines.http_stream.LINGERS", 0.05)

    async def linger(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(EVENT)
        while True:
            for piece in pieces:
                await response.write(piece)
            await asyncio.sleep(0.01)

    async with (
        asyncio.timeout(5),
        answering(linger, Timeouts(read=30)) as engine,
        engine.send(Request(PREFIX, Sampling(), max_tokens=9)) as stream,
    ):
        tokens = [token async for arrived in stream for token in arrived]
    assert stream.finish is Finish.STOP
    assert tokens[0].text == "a"
