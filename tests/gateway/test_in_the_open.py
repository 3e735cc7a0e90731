"""Pairs of models that think in the open: clients get their text as an instruct model's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.scripted_server import say

pytestmark = pytest.mark.slow

TEXT = "We add.\n\nSo it is \\boxed{72}."
THRESHOLDS = "thresholds = { n = 0, rho = 1.0 }\n"


def in_the_open(url: str) -> str:
    return pair_toml(url).replace(f'url = "{url}"\n', f'url = "{url}"\nthinking = "open"\n')


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_whole_text_is_content(tmp_path: Path, streamed: bool) -> None:
    async with scripted([say(TEXT)]) as server:
        async with asked_gateway(tmp_path, in_the_open(server.url) + THRESHOLDS) as client:
            usage_too = {"stream_options": {"include_usage": True}} if streamed else {}
            told = await client.chat("Why?", model="p", stream=streamed, **usage_too)
        assert len(server.bodies) == 1
        assert "think>" not in server.prompts[0]
    content = told.joined("content") if streamed else told.message["content"]
    reasoning = told.joined("reasoning_content") if streamed else told.message["reasoning_content"]
    last: dict[str, Any] = told.chunks[-1] if streamed else told.body
    assert (content, reasoning) == (TEXT, "")
    usage = last["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 0
    assert usage["completion_tokens"] > 6
    assert last["trigreason"]["stop"] == "complete"


async def test_stop_strings_stop_the_text(tmp_path: Path) -> None:
    async with (
        scripted([say(TEXT)]) as server,
        asked_gateway(tmp_path, in_the_open(server.url) + THRESHOLDS) as client,
    ):
        told = await client.chat("Why?", model="p", stop=["So"])
    assert told.message["content"] == "We add.\n\n"
    assert told.body["choices"][0]["finish_reason"] == "stop"


async def test_a_limit_is_told_as_length(tmp_path: Path) -> None:
    async with (
        scripted([say("One two three four five six seven eight nine ten.")]) as server,
        asked_gateway(tmp_path, in_the_open(server.url) + THRESHOLDS) as client,
    ):
        told = await client.chat("Why?", model="p", max_tokens=4)
    assert told.body["choices"][0]["finish_reason"] == "length"
    assert told.message["content"].startswith("One two")


async def test_responses_have_a_message_and_no_reasoning(tmp_path: Path) -> None:
    async with (
        scripted([say(TEXT)]) as server,
        asked_gateway(tmp_path, in_the_open(server.url) + THRESHOLDS) as client,
    ):
        told = await client.send("POST", "/v1/responses", json={"model": "p", "input": "Why?"})
    (item,) = told.body["output"]
    assert (item["type"], item["content"][0]["text"]) == ("message", TEXT)


async def test_no_answer_is_told_as_empty(tmp_path: Path) -> None:
    async with (
        scripted([say("")]) as server,
        asked_gateway(tmp_path, in_the_open(server.url) + THRESHOLDS) as client,
    ):
        told = await client.chat("Why?", model="p")
    assert told.body["trigreason"]["stop"] == "empty"
