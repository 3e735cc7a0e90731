"""What servers send to the completions engine: odd events, failures, usage, stops."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.engines.test_completions import PREFIX, read
from tests.runs import told
from tests.scripted_server import Reply, listening, say, scripted_pair, serve
from trigreason.engines.base import (
    Capabilities,
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    Finish,
    Prefix,
    Request,
    Sampling,
    TokenStream,
    TooManyAlternatives,
    Usage,
)
from trigreason.engines.completions import CompletionsEngine
from trigreason.reasoning import Thresholds


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


TOO_MANY = "Requested sample logprobs of 20, which is greater than max allowed: 5"


@pytest.mark.parametrize(
    ("most", "message", "sent"),
    [
        (5, TOO_MANY, [20, 5, 5]),
        (5, "logprobs: must be between 0 and 5", [20, 5, 5]),
        (1, "logprobs is not supported with such a value", [20, 1, 1]),
        (0, "logprobs must be at most 0", [20, 1]),
    ],
)
async def test_fewer_alternatives_where_a_server_refuses_so_many(
    most: int, message: str, sent: list[int]
) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        is_fine = body["logprobs"] <= most
        return say("So") if is_fine else Reply([], status=400, error=message)

    async with serve(reply) as server:
        engine = CompletionsEngine(server.url, "m")
        if most:
            for _ in range(2):
                assert [token.text for token in await read(engine, alternatives=20)] == ["So"]
        else:
            with pytest.raises(EngineRefused, match="at most 0"):
                await read(engine, alternatives=20)
        assert engine.capabilities.max_alternatives == most
        await engine.close()
    assert [body["logprobs"] for body in server.bodies] == sent


def _refusing_within_the_stream(body: dict[str, Any]) -> Reply:
    """As vLLM does it: status 200, and the refusal as the only event."""
    if body.get("logprobs", 0) > 5:
        return Reply([], then="error", error=TOO_MANY, code=400)
    return say("So.</think>\n\nIt is.")


async def test_a_refusal_within_the_stream_teaches_how_many_alternatives_there_are() -> None:
    async with serve(_refusing_within_the_stream) as server:
        engine = CompletionsEngine(server.url, "m")
        with pytest.raises(TooManyAlternatives, match="Try again: fewer alternatives"):
            await read(engine, alternatives=20)
        assert await read(engine, alternatives=20)
        await engine.close()
    assert [body["logprobs"] for body in server.bodies] == [20, 5]


async def test_a_run_goes_on_with_fewer_alternatives() -> None:
    async with scripted_pair(_refusing_within_the_stream, []) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0))
    assert run.trace.answer == "It is."
    assert [body["logprobs"] for body in double.srm.bodies] == [20, 5]
    assert [each.failed is not None for each in run.trace.stretches] == [True, False]


async def test_the_context_and_the_alternatives_can_both_be_too_large() -> None:
    def reply(body: dict[str, Any]) -> Reply:
        if body["max_tokens"] > 30:
            told = "max_tokens=50 cannot be greater than max_model_len=30"
            return Reply([], status=400, error=told)
        return say("So") if body["logprobs"] <= 5 else Reply([], status=400, error=TOO_MANY)

    async with serve(reply) as server:
        engine = CompletionsEngine(server.url, "m")
        assert [token.text for token in await read(engine, alternatives=20)] == ["So"]
        await engine.close()
    assert len(server.bodies) == 3
