"""The completions engine against a scripted server: what is sent, what errors say."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from tests.conftest import soon
from tests.scripted_server import Reply, Said, Shape, chatter, listening, say, serve
from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    NoLogprobs,
    Prefix,
    Sampling,
    Usage,
)
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.refusals import refusal
from trigreason.engines.templates import ChatTemplate
from trigreason.reasoning import Message, Token

PREFIX = Prefix((Message("user", "Why?"),), "Because")


async def read(
    engine: CompletionsEngine,
    into: list[Token] | None = None,
    *,
    needs_logprobs: bool = False,
) -> list[Token]:
    arrived = [] if into is None else into
    async with engine.stream(
        PREFIX, Sampling(), max_tokens=50, alternatives=0, needs_logprobs=needs_logprobs
    ) as stream:
        async for tokens in stream:
            arrived += tokens
    return arrived


@pytest.mark.parametrize(
    ("sampling", "sent"),
    [
        (
            Sampling(),
            {"temperature": 0.6, "top_p": 0.95, "top_k": -1, "min_p": 0.0, "seed": 0},
        ),
        (
            Sampling(temperature=0, top_p=1, top_k=20, min_p=0.05, seed=9),
            {"temperature": 0, "top_p": 1, "top_k": 20, "min_p": 0.05, "seed": 9},
        ),
    ],
)
def test_sampling_is_sent_in_full(sampling: Sampling, sent: dict[str, Any]) -> None:
    body = CompletionsEngine("http://x/v1", "m").request_body(PREFIX, sampling, 50, None)
    assert body == sent | {
        "model": "m",
        "prompt": "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\nBecause",
        "max_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(("alternatives", "sent"), [(None, None), (0, 1), (1, 1), (10, 10)])
def test_probabilities_are_asked_for(alternatives: int | None, sent: int | None) -> None:
    engine = CompletionsEngine("http://x/v1", "m")
    assert engine.request_body(PREFIX, Sampling(), 50, alternatives).get("logprobs") == sent


@pytest.mark.parametrize("shape", ["chat", "legacy"])
@pytest.mark.parametrize("per_chunk", [1, 3, 100])
async def test_a_stream_in_both_shapes(shape: Shape, per_chunk: int) -> None:
    said = [Said("So", -0.5), Said(" x", None), Said(" =", -0.25), Said("\n\n", 0.0)]
    async with serve([Reply(said, per_chunk=per_chunk)], shape) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.stream(PREFIX, Sampling(), max_tokens=9, alternatives=2) as stream:
            tokens = [token async for arrival in stream for token in arrival]
        await engine.close()
    assert [(token.text, token.logprob) for token in tokens] == said
    assert stream.finish is Finish.STOP
    assert stream.usage == Usage(len(server.prompts[0]))


async def test_a_template_that_refuses_is_a_typed_error() -> None:
    template = ChatTemplate("{{ raise_exception('no such turn') }}")
    engine = CompletionsEngine("http://x/v1", "m", template=template)
    with pytest.raises(EngineRefused, match=r"^m at http://x/v1: .*no such turn"):
        async with engine.stream(PREFIX, Sampling(), max_tokens=9):
            pass


async def test_max_tokens_reached() -> None:
    async with serve([say("a b c d")]) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.stream(PREFIX, Sampling(), max_tokens=2) as stream:
            tokens = [token async for arrival in stream for token in arrival]
        await engine.close()
    assert len(tokens) == 2
    assert stream.finish is Finish.LENGTH


async def test_leaving_a_stream_stops_it_upstream() -> None:
    async with serve([chatter()]) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.stream(PREFIX, Sampling(), max_tokens=10_000) as stream:
            await anext(aiter(stream))
            assert server.open_streams == 1
        assert await soon(lambda: server.disconnects == 1)
        assert server.open_streams == 0
        await engine.close()


async def test_no_logprobs_although_asked() -> None:
    async with serve([say("So x"), say("So x")], "none") as server:
        engine = CompletionsEngine(server.url, "m")
        with pytest.raises(NoLogprobs, match=r"rho = 1"):
            await read(engine, needs_logprobs=True)
        assert await read(engine) == [Token("So"), Token(" x")]
        await engine.close()


@pytest.mark.parametrize(("then", "kind"), [("break", EngineUnreachable), ("error", EngineFailed)])
async def test_a_stream_that_goes_wrong(then: Any, kind: type[EngineError]) -> None:
    async with serve([say("So x", then=then)]) as server:
        engine = CompletionsEngine(server.url, "m")
        arrived: list[Token] = []
        with pytest.raises(kind):
            await read(engine, into=arrived)
        await engine.close()
    assert "".join(token.text for token in arrived) == "So x"


async def test_nobody_there() -> None:
    engine = CompletionsEngine("http://127.0.0.1:9/v1", "m")
    with pytest.raises(EngineUnreachable, match=r"^m at http://127.0.0.1:9/v1: no answer"):
        await read(engine)
    await engine.close()


async def test_a_key_is_sent() -> None:
    keys: list[str | None] = []

    async def complete(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization"))
        return web.Response(status=401, text='{"error": {"message": "no"}}')

    app = web.Application()
    app.router.add_post("/v1/completions", complete)
    async with listening(app) as root:
        for key in (None, "secret"):
            engine = CompletionsEngine(f"{root}/v1/", "m", api_key=key)
            with pytest.raises(EngineRefused, match="Check the API key") as caught:
                await read(engine)
            assert "secret" not in f"{caught.value} {engine!r}"
            await engine.close()
    assert keys == [None, "Bearer secret"]


async def test_a_connection_the_server_dropped_is_opened_anew() -> None:
    """Kept-alive connections die between requests; nobody should notice."""
    async with serve([say("a"), say("b")]) as server:
        engine = CompletionsEngine(server.url, "m")
        assert [token.text for token in await read(engine)] == ["a"]
        assert engine._session is not None
        connector = engine._session.connector
        assert connector is not None
        for connections in connector._conns.values():
            for protocol, _ in connections:
                assert protocol.transport is not None
                protocol.transport.abort()
        assert [token.text for token in await read(engine)] == ["b"]
        await engine.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (
            400,
            '{"error": {"type": "exceed_context_size_error", "message": "too long"}}',
            ContextTooLong,
            "too long",
        ),
        (
            400,
            '{"object": "error", "message": "This model\'s maximum context length is 9 tokens"}',
            ContextTooLong,
            "maximum context length",
        ),
        (400, '{"error": {"message": "top_p"}}', EngineRefused, "top_p"),
        (403, '{"error": "bad key"}', EngineRefused, "bad key"),
        (404, "<html>\n<b>Not\nFound</b></html>", EngineRefused, "<b>Not Found</b>"),
        (422, '{"detail": [1]}', EngineRefused, "detail"),
        (429, "", EngineBusy, "no message"),
        (500, "[1]", EngineFailed, "500"),
        (503, "null", EngineFailed, "503"),
        (502, "x" * 5000, EngineFailed, "502"),
    ],
)
def test_refusals(status: int, body: str, kind: type[EngineError], told: str) -> None:
    error = refusal(status, body, "m at there")
    assert type(error) is kind
    line = str(error)
    assert line.startswith("m at there: ")
    assert told in line
    assert "\n" not in line
    assert len(line) < 500
