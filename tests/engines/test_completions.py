"""The completions engine against a scripted server: what is sent, what errors say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import soon
from tests.scripted_server import Reply, Said, Shape, chatter, listening, say, serve
from trigreason.engines.base import (
    Capabilities,
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    NoLogprobs,
    Prefix,
    Request,
    Sampling,
    TokenStream,
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


# What servers send


def event(text: str | None = "", **fields: Any) -> dict[str, Any]:
    """An event with one choice; logprobs of a text are the legacy ones of a single token."""
    return {"choices": [{"index": 0, "text": text, **fields}]}


def certain(*texts: str) -> dict[str, Any]:
    return {"tokens": list(texts), "token_logprobs": [-0.5] * len(texts)}


END = event(finish_reason="stop")


@asynccontextmanager
async def sending(
    *events: dict[str, Any] | str, prefix: Prefix = PREFIX, **how: Any
) -> AsyncIterator[TokenStream]:
    """A stream out of these events, whatever they hold, and [DONE] after them."""
    told = [each if isinstance(each, str) else json.dumps(each) for each in events]

    async def complete(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for each in [*told, "[DONE]"]:
            await response.write(f"data: {each}\n\n".encode(errors="surrogateescape"))
        return response

    app = web.Application()
    app.router.add_post("/v1/completions", complete)
    async with listening(app) as root:
        engine = CompletionsEngine(f"{root}/v1", "m")
        try:
            async with engine.send(
                Request(prefix, Sampling(), **{"max_tokens": 50, **how})
            ) as stream:
                yield stream
        finally:
            await engine.close()


async def text_of(stream: TokenStream) -> str:
    return "".join([token.text async for arrival in stream for token in arrival])


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([event(None, logprobs=certain("")), event("a"), END], "a"),
        ([{"choices": None, "usage": {"prompt_tokens": 1}}, event("a"), END], "a"),
        ([{}, {"id": "x"}, event("a"), END], "a"),
        ([event("a", finish_reason="eos")], "a"),
        ([event("a"), END, "[DONE]", "what comes after the end is nobody's business"], "a"),
    ],
)
async def test_odd_events(events: list[dict[str, Any] | str], text: str) -> None:
    async with sending(*events) as stream:
        assert await text_of(stream) == text
    assert stream.finish is Finish.STOP


@pytest.mark.parametrize(
    ("told", "kind", "says"),
    [
        (event(finish_reason="abort"), EngineFailed, "gave the request up"),
        (event(finish_reason="error"), EngineFailed, "gave the request up"),
        (event(finish_reason="content_filter"), EngineRefused, "content filter"),
        ({"error": "overloaded"}, EngineFailed, "overloaded"),
        ({"error": {"message": "slow down", "code": 429}}, EngineBusy, "slow down"),
        ({"error": {"message": "no", "code": "bad"}}, EngineFailed, "no"),
        ({"error": {"message": None}}, EngineFailed, "no message"),
        ({"object": "error", "message": "broken", "code": 500}, EngineFailed, "broken"),
        (
            {
                "error": {
                    "message": "the request exceeds the available context size",
                    "type": "exceed_context_size_error",
                    "code": 400,
                }
            },
            ContextTooLong,
            "available context size",
        ),
        ("<html>", EngineFailed, "what is no completion"),
        ('{"choices": [{"text": "\udcff"}]}', EngineFailed, "what is no completion"),
    ],
)
async def test_failures_inside_a_stream(
    told: dict[str, Any] | str, kind: type[EngineError], says: str
) -> None:
    async with sending(event("a"), told, END) as stream:
        with pytest.raises(kind, match=says) as caught:
            await text_of(stream)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


async def test_usage_of_a_stream_that_is_left() -> None:
    async with sending(
        event("a") | {"usage": {"prompt_tokens": 9, "completion_tokens": 1}}, event("b"), END
    ) as stream:
        await anext(aiter(stream))
        assert stream.usage == Usage(9, None, 1)


async def test_text_held_back_comes_without_logprobs() -> None:
    """A server that has sent some may flush the rest of a text without."""
    async with sending(
        event("", logprobs=certain("a")), event("a"), END, needs_logprobs=True
    ) as stream:
        assert await text_of(stream) == "a"


THOUGHT = Prefix(PREFIX.messages, "Done.\n</think>")
ANSWER = Prefix(PREFIX.messages, "", thinking=False)


@pytest.mark.parametrize(
    ("events", "prefix", "text"),
    [
        # the server keeps the stop string
        ([event("a.\n\n"), END], PREFIX, "a.\n\n"),
        ([event("a.\n\nB", finish_reason="stop", stop_reason="\n\n")], PREFIX, "a.\n\nB"),
        # it cuts it off, and says what it stopped at
        ([event("a."), event(finish_reason="stop", stop_reason="\n\n")], PREFIX, "a.\n\n"),
        ([event("a."), event(finish_reason="stop", matched_stop="\n\n")], PREFIX, "a.\n\n"),
        ([event("", finish_reason="stop", stop_reason="\n\n")], PREFIX, "\n\n"),
        ([event("a</think>", finish_reason="stop", stop_reason="\n\n")], PREFIX, "a</think>\n\n"),
        ([event("a."), event(finish_reason="stop", stop_reason=None)], PREFIX, "a."),
        ([event("a."), event(finish_reason="stop", stop_reason=7)], PREFIX, "a."),
        ([event("a."), event(finish_reason="stop", matched_stop=7)], PREFIX, "a."),
        ([event("a.", finish_reason="eos")], PREFIX, "a."),
        # it does not say
        ([event("a."), END], PREFIX, "a.\n\n"),
        ([event("a</think>"), END], PREFIX, "a</think>"),
        ([event("a"), END], THOUGHT, "a"),
        ([event("a"), END], ANSWER, "a\n\n"),
        ([END], PREFIX, ""),
        ([event(" "), END], PREFIX, " "),
        # it did not stop
        ([event("a."), event(finish_reason="length")], PREFIX, "a."),
    ],
)
async def test_the_blank_line_that_a_step_stops_at(
    events: list[dict[str, Any]], prefix: Prefix, text: str
) -> None:
    async with sending(*events, prefix=prefix, one_step=True) as stream:
        assert await text_of(stream) == text


@pytest.mark.parametrize(("context", "sent"), [(None, 10_240), (2048, 2048), (20_000, 10_240)])
async def test_no_more_is_asked_for_than_a_context_holds(context: int | None, sent: int) -> None:
    async with serve([say("a")]) as server:
        engine = CompletionsEngine(
            server.url, "m", capabilities=Capabilities(context_tokens=context)
        )
        await read(engine, max_tokens=10_240)
        await engine.close()
    assert server.bodies[0]["max_tokens"] == sent


@pytest.mark.parametrize(
    ("refusal", "sent"),
    [
        (
            "This model's maximum context length is 100 tokens and your request has 40 input "
            "tokens (80 > 100 - 40).",
            [80, 59],
        ),
        ("top_p must be in (0, 1]", [80]),
        (
            "This model's maximum context length is 100 tokens. However, your prompt contains at "
            "least 101 input tokens",
            [80],
        ),
        (
            "This model's maximum context length is 400 tokens and your request has 40 input "
            "tokens",
            [80],
        ),
    ],
)
async def test_what_does_not_fit_is_asked_for_again(refusal: str, sent: list[int]) -> None:
    replies = [Reply([], status=400, error=refusal), say("a")]
    async with serve(replies) as server:
        engine = CompletionsEngine(server.url, "m")
        if len(sent) == 1:
            with pytest.raises(EngineRefused):
                await read(engine, max_tokens=80)
        else:
            assert [token.text for token in await read(engine, max_tokens=80)] == ["a"]
        await engine.close()
    assert [body["max_tokens"] for body in server.bodies] == sent
