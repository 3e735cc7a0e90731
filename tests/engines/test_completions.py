"""The completions engine against a scripted server: what is sent, what errors say."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from tests.conftest import soon
from tests.scripted_server import Reply, Said, Shape, chatter, listening, say, serve
from trigreason.engines.base import (
    Capabilities,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    NoLogprobs,
    Prefix,
    Request,
    Sampling,
    Usage,
)
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import GENERIC, LLAMA_CPP, SGLANG, VLLM, Dialect
from trigreason.engines.templates import CHATML, ChatTemplate
from trigreason.reasoning import Message, Tags, Token

PREFIX = Prefix((Message("user", "Why?"),), "Because")


async def read(
    engine: CompletionsEngine, into: list[Token] | None = None, **how: Any
) -> list[Token]:
    arrived = [] if into is None else into
    async with engine.send(
        Request(PREFIX, Sampling(), **{"max_tokens": 50, "alternatives": 0, **how})
    ) as stream:
        async for tokens in stream:
            arrived += tokens
    return arrived


BODY = {
    "model": "m",
    "prompt": "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\nBecause",
    "max_tokens": 50,
    "stream": True,
    "temperature": 0.6,
    "top_p": 0.95,
    "top_k": -1,
    "min_p": 0.0,
    "seed": 0,
    "stream_options": {"include_usage": True},
}


@pytest.mark.parametrize(
    ("dialect", "besides"),
    [
        (GENERIC, {}),
        (
            VLLM,
            {
                "repetition_penalty": 1.0,
                "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            },
        ),
        (
            LLAMA_CPP,
            {
                "cache_prompt": True,
                "return_progress": True,
                "preserved_tokens": ["<think>", "</think>"],
            },
        ),
    ],
)
def test_all_of_a_request(dialect: Dialect, besides: dict[str, Any]) -> None:
    engine = CompletionsEngine("http://x/v1", "m", dialect=dialect)
    assert engine.request_body(Request(PREFIX, Sampling(), 50, None)) == BODY | besides


@pytest.mark.parametrize(
    ("dialect", "besides"),
    [
        (GENERIC, {}),
        (VLLM, {"include_stop_str_in_output": True}),
        (SGLANG, {"no_stop_trim": True}),
    ],
)
def test_one_step_is_asked_for(dialect: Dialect, besides: dict[str, Any]) -> None:
    engine = CompletionsEngine("http://x/v1", "m", dialect=dialect)
    on, off = (
        engine.request_body(Request(PREFIX, Sampling(), 50, 0, one_step=it)) for it in (True, False)
    )
    assert on == off | {"stop": ["\n\n"]} | besides


@pytest.mark.parametrize(
    ("dialect", "besides"),
    [
        (GENERIC, {}),
        (VLLM, {"skip_special_tokens": False}),
        (SGLANG, {"skip_special_tokens": False}),
        (LLAMA_CPP, {"preserved_tokens": ["[THINK]", "[/THINK]"]}),
    ],
)
def test_tags_that_may_be_special_tokens_are_shown_but_not_the_end_of_a_turn(
    dialect: Dialect, besides: dict[str, Any]
) -> None:
    template = ChatTemplate(CHATML.source, tags=Tags("[THINK]", "[/THINK]"))
    engine = CompletionsEngine("http://x/v1", "m", dialect=dialect, template=template)
    body = engine.request_body(Request(PREFIX, Sampling(), 50, 0, one_step=True))
    always = {*BODY, *dialect.always, *besides, "logprobs", "stop"}
    assert set(body) == always
    assert besides.items() <= body.items()
    engine.tags = None
    silent = engine.request_body(Request(PREFIX, Sampling(), 50, 0))
    assert not {"skip_special_tokens", "preserved_tokens"} & set(silent)


@pytest.mark.parametrize(
    ("alternatives", "most", "sent"),
    [(None, 20, None), (0, 20, 1), (1, 20, 1), (10, 20, 10), (10, 5, 5), (10, 0, 1)],
)
def test_probabilities_are_asked_for(alternatives: int | None, most: int, sent: int | None) -> None:
    engine = CompletionsEngine("http://x/v1", "m", capabilities=Capabilities(max_alternatives=most))
    assert (
        engine.request_body(Request(PREFIX, Sampling(), 50, alternatives)).get("logprobs") == sent
    )


async def test_a_request_by_its_parts_is_that_request() -> None:
    parts: dict[str, Any] = {
        "max_tokens": 9,
        "alternatives": 2,
        "needs_logprobs": True,
        "one_step": True,
    }
    async with serve(2 * [Reply([Said("So", -0.5)])]) as server:
        engine = CompletionsEngine(server.url, "m")
        async with (
            engine.send(Request(PREFIX, Sampling(seed=3), **parts)) as whole,
            engine.stream(PREFIX, Sampling(seed=3), **parts) as by_parts,
        ):
            told = [
                [token async for tokens in each for token in tokens] for each in (whole, by_parts)
            ]
        await engine.close()
    assert server.bodies[0] == server.bodies[1]
    assert told[0] == told[1]


@pytest.mark.parametrize("shape", ["chat", "legacy"])
@pytest.mark.parametrize("per_chunk", [1, 3, 100])
async def test_a_stream_in_both_shapes(shape: Shape, per_chunk: int) -> None:
    said = [Said("So", -0.5), Said(" x", None), Said(" =", -0.25), Said("\n\n", 0.0)]
    async with serve([Reply(said, per_chunk=per_chunk)], shape) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.send(Request(PREFIX, Sampling(), max_tokens=9, alternatives=2)) as stream:
            tokens = [token async for arrival in stream for token in arrival]
        await engine.close()
    assert [(token.text, token.logprob) for token in tokens] == said
    assert stream.finish is Finish.STOP
    assert stream.usage == Usage(len(server.prompts[0]))


async def test_a_template_that_refuses_is_a_typed_error() -> None:
    template = ChatTemplate("{{ raise_exception('no such turn') }}")
    engine = CompletionsEngine("http://x/v1", "m", template=template)
    with pytest.raises(EngineRefused, match=r"^m at http://x/v1: .*no such turn"):
        async with engine.send(Request(PREFIX, Sampling(), max_tokens=9)):
            pass


async def test_max_tokens_reached() -> None:
    async with serve([say("a b c d")]) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.send(Request(PREFIX, Sampling(), max_tokens=2)) as stream:
            tokens = [token async for arrival in stream for token in arrival]
        await engine.close()
    assert len(tokens) == 2
    assert stream.finish is Finish.LENGTH


async def test_leaving_a_stream_stops_it_upstream() -> None:
    async with serve([chatter()]) as server:
        engine = CompletionsEngine(server.url, "m")
        async with engine.send(Request(PREFIX, Sampling(), max_tokens=10_000)) as stream:
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
