"""Requests that are passed on to an engine: its answers, errors and cost, and who may ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import soon
from tests.gateway.client import Client, asked_gateway
from tests.gateway.clients.conftest import MISSING
from tests.gateway.storage.books import settled
from tests.scripted_server import listening
from trigreason.gateway.keys import KeyLimits

pytestmark = pytest.mark.slow

EMBEDDINGS, RERANK, TEXT = "/v1/embeddings", "/v1/rerank", "/v1/completions"
USAGE = {"prompt_tokens": 2_000_000, "total_tokens": 2_000_003, "completion_tokens": 3}


@dataclass
class Upstream:
    """A server of three routes that repeats what it was asked; ``fails`` is an error's status."""

    usage: dict[str, int] | None = field(default_factory=lambda: dict(USAGE))
    fails: int = 0
    stalls: bool = False
    breaks: bool = False
    asked: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    open: int = 0
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((request.path, body, dict(request.headers)))
        if self.fails:
            refused = {"error": {"message": f"no, said {self.url}", "code": "x"}}
            return web.json_response(refused, status=self.fails)
        if body.get("stream"):
            return await self._stream(request)
        said: dict[str, Any] = {"data": [{"embedding": [0.5]}], "model": body["model"]}
        if request.path == TEXT:
            said["choices"] = [{"index": 0, "text": "one two", "finish_reason": "stop"}]
        return web.json_response(said | ({"usage": self.usage} if self.usage else {}))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.open += 1
        try:
            for text in ("one", " two"):
                choice = {"index": 0, "text": text, "finish_reason": None}
                await _send(response, {"choices": [choice], "usage": None})
                if self.stalls:
                    await asyncio.sleep(60)
            if self.breaks:
                assert request.transport is not None
                request.transport.abort()
            if self.usage:
                await _send(response, {"choices": [], "usage": self.usage})
            await response.write(b"data: [DONE]\n\n")
        finally:
            self.open -= 1
        return response


async def _send(response: web.StreamResponse, event: Any) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


TOML = """
[engines.own]
url = "{url}"
model = "org/real-name"
prices = {{ input = 1, output = 2 }}
[engines.free]
url = "{url}"
model = "free-name"
[gateway]
pairs = ["bundled"]
[gateway.passed]
embeddings = ["own", "free"]
rerank = ["own"]
completions = ["own"]
"""


@asynccontextmanager
async def passing(
    folder: Path, more: str = "", **how: Any
) -> AsyncIterator[tuple[Client, Upstream]]:
    upstream = Upstream(**how)
    app = web.Application()
    for path in (EMBEDDINGS, RERANK, TEXT):
        app.router.add_post(path, upstream.answer)
    async with listening(app) as root:
        upstream.url = f"{root}/v1"
        toml = TOML.format(url=upstream.url) + more
        async with asked_gateway(folder, toml) as client:
            yield client, upstream
            assert await soon(lambda: client.is_idle and not upstream.open)


BODIES: dict[str, dict[str, Any]] = {
    EMBEDDINGS: {"model": "own", "input": ["a", "b"], "dimensions": 3, "anything": {"x": [1]}},
    RERANK: {"model": "own", "query": "q", "documents": ["a", "b"], "top_n": 1},
    TEXT: {"model": "own", "prompt": "a", "max_tokens": 5, "guided_regex": "x"},
}


@pytest.mark.parametrize("path", BODIES)
async def test_a_request_is_passed_on_as_it_is(tmp_path: Path, path: str) -> None:
    async with passing(tmp_path) as (client, upstream):
        told = await client.send("POST", path, json=BODIES[path])
        assert told.status == 200
        ((asked_path, body, headers),) = upstream.asked
        assert (asked_path, body) == (path, BODIES[path] | {"model": "org/real-name"})
        assert "x-session-id" not in {name.lower() for name in headers}
        assert told.body["data"] == [{"embedding": [0.5]}]
        assert told.headers["x-trigreason-pair"] == "own"
        assert float(told.headers["x-trigreason-usd"]) == pytest.approx(2.000006)
        await client.send("POST", path, json=BODIES[path], headers={"x-session-id": "mine"})
        _, _, headers = upstream.asked[-1]
        assert len(headers["x-session-id"]) == 32


@pytest.mark.parametrize("asks_usage", [False, True])
async def test_a_text_completion_streams(tmp_path: Path, asks_usage: bool) -> None:
    async with passing(tmp_path) as (client, upstream):
        body = BODIES[TEXT] | {"stream": True}
        if asks_usage:
            body["stream_options"] = {"include_usage": True, "continuous_usage_stats": False}
        told = await client.send("POST", TEXT, json=body)
        assert told.headers["content-type"] == "text/event-stream"
        texts = [each["text"] for chunk in told.chunks for each in chunk["choices"]]
        assert texts == ["one", " two"]
        assert (told.chunks[-1]["choices"] == []) is asks_usage
        assert told.text.endswith("data: [DONE]\n\n")
        assert told.text.count("[DONE]") == 1
        _, asked, _ = upstream.asked[0]
        assert asked["stream_options"]["include_usage"] is True
        assert ("continuous_usage_stats" in asked["stream_options"]) is asks_usage


async def recorded(client: Client, body: dict[str, Any], path: str = TEXT) -> dict[str, Any]:
    """What the log tells of one request."""
    facts: list[dict[str, Any]] = []
    ended = client.service.telemetry.ended

    def ends(exchange: Any) -> None:
        cost = exchange.spent
        facts.append(
            {
                "prompt": exchange.prompt.tokens,
                "answer": exchange.answer_tokens,
                "usd": cost.usd,
                "is_estimate": cost.is_estimate,
                "outcome": exchange.outcome.value,
            }
        )
        ended(exchange)

    client.service.telemetry.ended = ends  # type: ignore[method-assign]
    try:
        await client.send("POST", path, json=body)
    finally:
        client.service.telemetry.ended = ended  # type: ignore[method-assign]
    (fact,) = facts
    return fact


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (USAGE, (2_000_000, 3, False)),
        ({"total_tokens": 50}, (50, 2, False)),
        ({"prompt_tokens": 7}, (7, 2, False)),
        (None, (2, 2, True)),
    ],
)
async def test_tokens_are_those_reported_or_else_estimated(
    tmp_path: Path,
    usage: dict[str, int] | None,
    tokens: tuple[int, int, bool],
    stream: bool,
) -> None:
    async with passing(tmp_path, usage=usage) as (client, _):
        fact = await recorded(client, BODIES[TEXT] | {"stream": stream})
        prompt, answer, is_estimate = tokens
        assert (fact["prompt"], fact["answer"]) == (prompt, answer)
        assert fact["is_estimate"] is is_estimate
        assert fact["usd"] == pytest.approx((prompt + 2 * answer) / 1e6)
        assert fact["outcome"] == "finished"


async def test_what_is_spent_counts_against_a_key(tmp_path: Path) -> None:
    async with passing(tmp_path) as (client, _):
        storage = client.service.storage
        ann = client.with_key(
            (await storage.create_key("ann", limits=KeyLimits(usd_per_day=3))).text
        )
        for status in (200, 200, 429):
            told = await ann.send("POST", EMBEDDINGS, json=BODIES[EMBEDDINGS])
            assert told.status == status
            await settled(storage)
        assert told.error["code"] == "insufficient_quota"
        few = KeyLimits(requests_per_minute=1)
        ben = client.with_key((await storage.create_key("ben", limits=few)).text)
        asked = [await ben.send("POST", RERANK, json=BODIES[RERANK]) for _ in range(3)]
        assert 429 in [each.status for each in asked]


async def test_a_key_may_be_for_some_engines(tmp_path: Path) -> None:
    async with passing(tmp_path) as (client, _):
        key = await client.service.storage.create_key("ann", pairs=["free"])
        ann = client.with_key(key.text)
        assert [each["id"] for each in (await ann.get("/v1/models")).body["data"]] == ["free"]
        assert (await ann.get("/v1/models/free")).status == 200
        assert (await ann.get("/v1/models/own")).status == 404
        body = BODIES[EMBEDDINGS]
        assert (await ann.send("POST", EMBEDDINGS, json=body | {"model": "free"})).status == 200
        refused = await ann.send("POST", EMBEDDINGS, json=body)
        assert (refused.status, refused.error["code"]) == (404, "model_not_found")
        assert refused.error["message"].endswith("There are: free.")
        assert (await client.send("POST", EMBEDDINGS, json=body)).status == 401


@pytest.mark.parametrize(
    ("path", "model", "names"),
    [
        (EMBEDDINGS, "bundled", "There are: own, free."),
        (RERANK, "free", "There are: own."),
        (TEXT, "free", "'free' does not exist"),
        (EMBEDDINGS, "x" * 400, "There are: own, free."),
    ],
)
async def test_a_model_that_is_not_for_the_route(
    tmp_path: Path, path: str, model: str, names: str
) -> None:
    async with passing(tmp_path) as (client, upstream):
        body = {"prompt": "?"} if path == TEXT else BODIES[path]
        told = await client.send("POST", path, json=body | {"model": model})
        assert (told.status, told.error["code"]) == (404, "model_not_found")
        assert names in told.error["message"]
        assert upstream.asked == []


async def test_without_any_engine_that_is_said(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, wait=False) as client:
        for path in (EMBEDDINGS, RERANK):
            key = f"gateway.passed.{path.removeprefix('/v1/')}"
            told = await client.send("POST", path, json=BODIES[path])
            assert (told.status, told.error["code"]) == (404, "model_not_found")
            assert key in told.error["message"]
            missing = await client.send("POST", path, json={"input": "x"})
            assert (missing.status, missing.error["param"]) == (400, "model")


@pytest.mark.parametrize(
    ("status", "told_status", "code"),
    [
        (400, 400, "refused_by_model"),
        (422, 400, "refused_by_model"),
        (401, 502, "engine_failed"),
        (404, 502, "engine_failed"),
        (429, 503, "engine_unavailable"),
        (500, 502, "engine_failed"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_of_the_engine(
    tmp_path: Path,
    status: int,
    told_status: int,
    code: str,
    stream: bool,
) -> None:
    async with passing(tmp_path, fails=status) as (client, _):
        told = await client.send("POST", TEXT, json=BODIES[TEXT] | {"stream": stream})
        assert (told.status, told.error["code"]) == (told_status, code)
        assert ("no, said" in told.error["message"]) is (told_status == 400)


async def test_a_stream_that_breaks_off_ends_with_an_error(tmp_path: Path) -> None:
    async with passing(tmp_path, breaks=True) as (client, _):
        told = await client.send("POST", TEXT, json=BODIES[TEXT] | {"stream": True})
        assert told.chunks[-1]["error"]["code"] == "engine_failed"
        assert told.text.endswith("data: [DONE]\n\n")


async def test_a_client_that_leaves_ends_the_request_upstream(tmp_path: Path) -> None:
    async with passing(tmp_path, stalls=True) as (client, upstream):
        body = BODIES[TEXT] | {"stream": True}
        asking = asyncio.create_task(client.send("POST", TEXT, json=body))
        assert await soon(lambda: upstream.open == 1)
        asking.cancel()
        assert await soon(lambda: upstream.open == 0)


async def test_a_request_has_its_time(tmp_path: Path) -> None:
    limits = "[gateway.limits]\nrequest_seconds = 0.5\n"
    async with passing(tmp_path, limits, stalls=True) as (client, _):
        told = await client.send("POST", TEXT, json=BODIES[TEXT] | {"stream": True})
        assert told.chunks[-1]["error"]["code"] == "request_timeout"


async def test_openai_s_client(tmp_path: Path) -> None:
    openai: Any = pytest.importorskip("openai", reason=MISSING)
    async with passing(tmp_path) as (client, _):
        sdk = openai.AsyncOpenAI(base_url=f"{client.url}/v1", api_key="none", max_retries=0)
        made = await sdk.embeddings.create(model="own", input="a", encoding_format="float")
        assert made.data[0].embedding == [0.5]
        stream = await sdk.completions.create(model="own", prompt="a", stream=True)
        assert "".join([each.choices[0].text async for each in stream]) == "one two"
        await sdk.close()
