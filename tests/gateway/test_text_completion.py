"""``/v1/completions``: a pair answers a prompt as it answers a user's message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import Client, Told, asked_gateway
from tests.gateway.serving import QUESTION
from trigreason.gateway.text_completion import TextRequest

pytestmark = pytest.mark.slow

TEXT = "/v1/completions"


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path) as client:
        yield client
        assert client.is_idle


async def completed(client: Client, **fields: Any) -> Told:
    body = {"model": "bundled", "prompt": QUESTION, "seed": 1} | fields
    return await client.send("POST", TEXT, json=body)


async def test_the_answer_is_that_of_the_chat(client: Client) -> None:
    chatted = await client.chat()
    for fields in ({}, {"prompt": [QUESTION]}, {"best_of": 1, "echo": False}):
        told = await completed(client, **fields)
        assert told.status == 200
        (choice,) = told.body["choices"]
        assert choice["text"] == chatted.message["content"] != ""
        assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
        assert told.body["object"] == "text_completion"
        assert told.body["id"].startswith("cmpl-")
        assert told.body["usage"] == chatted.body["usage"] | {
            "prompt_tokens_details": told.body["usage"]["prompt_tokens_details"]
        }
        assert told.body["trigreason"]["smt"] == chatted.body["trigreason"]["smt"]


async def test_a_stream_says_what_the_whole_says(client: Client) -> None:
    whole = await completed(client, n=2)
    told = await completed(
        client,
        n=2,
        stream=True,
        stream_options={"include_usage": True},
        trigreason={"events": True},
    )
    assert told.text.endswith("data: [DONE]\n\n")
    *chunks, last = told.chunks
    assert {each["object"] for each in told.chunks} == {"text_completion"}
    for choice in whole.body["choices"]:
        own = [one for each in chunks for one in each["choices"] if one["index"] == choice["index"]]
        assert "".join(one["text"] for one in own) == choice["text"]
        assert [one["finish_reason"] for one in own if one["finish_reason"]] == ["stop"]
        assert all(one.keys() == {"index", "text", "logprobs", "finish_reason"} for one in own)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == whole.body["usage"]["completion_tokens"]
    events = [each["trigreason"]["event"] for each in chunks if "trigreason" in each]
    assert "step_accepted" in {event["type"] for event in events}
    with_events = await completed(client, trigreason={"events": True})
    assert with_events.body["trigreason"]["events"]


async def test_the_answer_ends_at_a_stop_text_and_at_a_limit(client: Client) -> None:
    assert "boxed" in (await completed(client)).body["choices"][0]["text"]
    stopped = (await completed(client, stop="boxed")).body["choices"][0]
    assert "boxed" not in stopped["text"]
    assert stopped["finish_reason"] == "stop"
    limited = await completed(client, max_tokens=5)
    assert limited.body["choices"][0]["finish_reason"] == "length"
    assert limited.body["usage"]["completion_tokens"] <= 5


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"echo": True}, "echo"),
        ({"suffix": "x"}, "suffix"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"guided_regex": "x"}, "guided_regex"),
        ({"max_tokens": -2}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ],
)
async def test_what_a_pair_cannot_do_is_refused_by_name(
    client: Client, fields: dict[str, Any], param: str
) -> None:
    told = await completed(client, **fields)
    assert told.status == 400
    assert told.error["param"] == param


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"best_of": 1, "echo": False, "logprobs": None, "suffix": ""}, ()),
        ({"max_tokens": -1, "top_k": 5, "min_p": 0.1, "user": {"id": "u"}}, ()),
        ({"logprobs": 0}, ("logprobs",)),
        ({"logprobs": 1, "best_of": 2}, ("logprobs", "best_of")),
        ({"presence_penalty": 0.5, "logit_bias": {"1": 2}}, ("presence_penalty", "logit_bias")),
        ({"stream_options": {"include_usage": True}}, ("stream_options",)),
    ],
)
def test_what_has_no_effect_is_ignored_and_told(
    fields: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    asked = TextRequest.model_validate({"model": "bundled", "prompt": "?"} | fields)
    assert asked.parsed().ignored == ignored
