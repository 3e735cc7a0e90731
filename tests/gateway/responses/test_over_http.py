"""``/v1/responses`` of a running gateway: over the bundled pair, and over models that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import soon
from tests.gateway.client import Client, Told, asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import QUESTION
from tests.scripted_server import Reply, Said, say

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
PATH = "/v1/responses"
FAILING = """
thresholds = { n = 0, rho = 1, m = 0 }
failure = { retries = 0, srm_away = "fail", lrm_away = "fail" }
[gateway]
[gateway.limits]
"""
"""Nothing fires, and nothing is tried again."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of one gateway for all tests here."""
    async with asked_gateway(tmp_path_factory.mktemp("gateway")) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def client(shared: Client) -> AsyncIterator[Client]:
    yield shared
    assert await soon(lambda: shared.is_idle)


@asynccontextmanager
async def over(folder: Path, reply: Reply, limits: str = "") -> AsyncIterator[Client]:
    """A client of a gateway whose pair ``p`` always says this."""
    async with scripted(lambda _: reply) as model:
        toml = pair_toml(model.url) + FAILING + limits
        async with asked_gateway(folder, toml) as client:
            yield client


async def ask(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "input": QUESTION, "seed": 1} | fields
    return await client.send("POST", PATH, json=body)


def told(response: dict[str, Any]) -> list[tuple[str, str]]:
    """What kinds of items a response has, and what they say."""
    return [(item["type"], item["content"][0]["text"]) for item in response["output"]]


async def test_streamed_or_whole_it_is_the_same_response(client: Client) -> None:
    whole, streamed = await ask(client), await ask(client, stream=True)
    last = streamed.chunks[-1]
    assert last["type"] == "response.completed"
    assert told(last["response"]) == told(whole.body)
    assert last["response"]["usage"].keys() == whole.body["usage"].keys()
    assert whole.body["id"].startswith("resp_")
    assert streamed.headers["x-trigreason-id"] == last["response"]["id"]


async def test_it_says_what_a_chat_completion_says(client: Client) -> None:
    completion, response = await client.chat(), await ask(client)
    message, usage = completion.message, completion.body["usage"]
    said = [("reasoning", message["reasoning_content"]), ("message", message["content"])]
    assert told(response.body) == said
    assert response.body["usage"]["input_tokens"] == usage["prompt_tokens"]
    assert response.body["usage"]["output_tokens"] == usage["completion_tokens"]


async def test_a_limit_of_tokens_cuts_it_short(client: Client) -> None:
    response = (await ask(client, max_output_tokens=10)).body
    assert response["status"] == "incomplete"
    assert response["usage"]["output_tokens"] <= 10


async def test_instructions_are_part_of_the_prompt(client: Client) -> None:
    plain, instructed = await ask(client), await ask(client, instructions="True is False.")
    tokens = [each.body["usage"]["input_tokens"] for each in (plain, instructed)]
    assert tokens[0] < tokens[1]


async def test_too_many_items_are_refused_by_name(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, "[gateway]\n[gateway.limits]\nmessages = 1\n") as client:
        turns = 2 * [{"role": "user", "content": "hello"}]
        refused = await ask(client, input=turns)
    assert (refused.status, refused.error["param"]) == (400, "input")


async def test_a_model_that_fails_before_the_first_text(tmp_path: Path) -> None:
    async with over(tmp_path, say("", status=500)) as client:
        failed = await ask(client, model="p", stream=True)
    assert failed.status == 502
    assert failed.error["code"] == "engine_failed"


async def test_a_model_that_fails_after_a_comment(tmp_path: Path) -> None:
    torn = Reply([Said("")], pause=0.3, then="break")
    async with over(tmp_path, torn, "keepalive_seconds = 0.05") as client:
        failed = await ask(client, model="p", stream=True)
    assert failed.text.startswith(": keep-alive\n\n")
    kinds = [event["type"].removeprefix("response.") for event in failed.chunks]
    assert kinds == ["created", "in_progress", "failed"]


async def test_a_model_that_fails_in_the_middle(tmp_path: Path) -> None:
    torn = say("One thing.\n\nAnother", then="break")
    async with over(tmp_path, torn) as client:
        streamed = await ask(client, model="p", stream=True)
        whole = await ask(client, model="p")
    last = streamed.chunks[-1]
    assert streamed.status == 200
    assert last["type"] == "response.failed"
    assert last["response"]["status"] == "failed"
    assert last["response"]["error"]["code"] == "server_error"
    assert told(last["response"])[0][1].startswith("One thing.")
    assert (whole.status, whole.error["code"]) == (502, "engine_failed")
