"""How the tests of ``/v1/messages`` ask a running gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.conftest import soon
from tests.gateway.client import Client, Told, asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import QUESTION
from tests.scripted_server import Reply, ScriptedServer

PATH = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
TURN = {"role": "user", "content": QUESTION}
SHOWN = {"thinking": {"type": "enabled", "budget_tokens": 4000}}
READS = '<tool_call>{"name": "Read", "arguments": {"file_path": "todo.txt"}}</tool_call>'
VERSION = {"anthropic-version": "2023-06-01"}
FAILING = """
thresholds = { n = 0, rho = 1, m = 0 }
failure = { retries = 0, srm_away = "fail", lrm_away = "fail" }
[gateway]
[gateway.limits]
"""
"""Nothing fires, and nothing is tried again."""


@asynccontextmanager
async def over(
    folder: Path, reply: Reply, limits: str = ""
) -> AsyncIterator[tuple[Client, ScriptedServer]]:
    """A client of a gateway whose pair ``p`` always says this, and the model's server."""
    async with (
        scripted(lambda _: reply) as model,
        asked_gateway(folder, pair_toml(model.url) + FAILING + limits) as client,
    ):
        yield client, model
        assert await soon(lambda: client.is_idle and not model.open_streams)


async def ask(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "max_tokens": 4096, "messages": [TURN], "seed": 1} | fields
    return await client.send("POST", PATH, json=body, headers=VERSION)


async def count(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "messages": [TURN]} | fields
    return await client.send("POST", COUNT, json=body, headers=VERSION)


def refused(told: Told) -> tuple[int, str]:
    """An error's status and type, after checking its shape."""
    assert told.body.keys() == {"type", "error", "request_id"}
    assert told.body["type"] == "error"
    assert told.body["error"].keys() == {"type", "message"}
    assert told.body["error"]["message"]
    assert told.body["request_id"] == told.headers.get("request-id")
    return told.status, told.body["error"]["type"]
