"""The gateway over the bundled pair: what a client gets that asks for what there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import soon
from tests.gateway.client import Client, Told, asked_gateway
from trigreason.reasoning import methods, trace_from_json
from trigreason.reasoning.trace import Trace

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = "[gateway]\n[gateway.traces]\nkeep = true\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of one gateway for all tests here."""
    async with asked_gateway(tmp_path_factory.mktemp("gateway"), KEPT) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def client(shared: Client) -> AsyncIterator[Client]:
    """A client of a gateway that keeps traces; after a test nothing may be going on."""
    yield shared
    assert await soon(lambda: shared.is_idle)


async def trace_of(client: Client, told: Told, run: int | None = None) -> Trace:
    account = told.body["trigreason"]
    name = (account if run is None else account["runs"][run])["trace_id"]
    kept = await client.get(f"/v1/traces/{name}")
    assert kept.status == 200
    return trace_from_json(json.loads(kept.text))


async def test_streamed_or_whole_it_is_the_same_answer(client: Client) -> None:
    whole = await client.chat()
    streamed = await client.chat(stream=True, stream_options={"include_usage": True})
    assert (whole.status, streamed.status) == (200, 200)
    assert "\\boxed{" in whole.message["content"]
    for key in ("content", "reasoning_content"):
        assert streamed.joined(key) == whole.message[key] != ""
    assert streamed.text.endswith("data: [DONE]\n\n")
    last = streamed.chunks[-1]
    assert last["usage"]["completion_tokens"] == whole.body["usage"]["completion_tokens"]
    for key in ("smt", "drafts", "lrm_requests", "handovers", "stop", "seed"):
        assert last["trigreason"][key] == whole.body["trigreason"][key]


async def test_the_numbers_are_those_of_the_trace(client: Client) -> None:
    told = await client.chat()
    trace, usage, account = (
        await trace_of(client, told),
        told.body["usage"],
        told.body["trigreason"],
    )
    assert told.message["reasoning_content"] == trace.thinking
    assert told.message["content"] == trace.answer
    assert usage["completion_tokens"] == trace.thinking_tokens + trace.answer_tokens
    assert usage["completion_tokens_details"]["reasoning_tokens"] == trace.thinking_tokens
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 10
    for author, use in account["models"].items():
        written = ("standing_tokens", "draft_tokens", "answer_tokens", "judge_tokens")
        assert use["completion_tokens"] == sum(use[key] for key in (*written, "unused_tokens"))
        assert use["requests"] == sum(each.author == author for each in trace.stretches)
    assert account["smt"] == trace.smt
    assert account["drafts"] == len(trace.drafts) > 0
    assert account["usd"] is None, "nobody knows what the bundled pair costs"
    assert (account["pair"], account["method"]) == ("bundled", "trigreason")
    assert account["seconds"] <= float(told.headers["server-timing"].split("total;dur=")[1]) / 1000


@pytest.mark.slow
async def test_headers(client: Client) -> None:
    whole, streamed = await client.chat(), await client.chat(stream=True)
    for told in (whole, streamed):
        assert told.headers["x-trigreason-pair"] == "bundled"
        assert told.headers["x-trigreason-method"] == "trigreason"
        assert told.headers["cache-control"] == "no-store"
        assert told.headers["server-timing"].startswith("queue;dur=")
    assert whole.headers["x-trigreason-id"] == whole.body["id"]
    assert whole.headers["x-trigreason-degraded"] == "false"
    assert (
        int(whole.headers["x-trigreason-lrm-requests"])
        == (whole.body["trigreason"]["models"]["lrm"]["requests"])
    )
    assert whole.headers["content-type"] == "application/json"
    assert streamed.headers["content-type"] == "text/event-stream"


async def test_models(client: Client) -> None:
    told = (await client.get("/v1/models")).body
    names = [each["id"] for each in told["data"]]
    without_scorer = [method for method in methods() if method != "rsd"]
    assert names == ["bundled", *(f"bundled:{method}" for method in without_scorer)]
    assert (await client.get("/v1/models/bundled:lrm")).body["id"] == "bundled:lrm"
    assert (await client.get("/v1/models/bundled:rho=0.5,n=2")).status == 200
    unknown = await client.get("/v1/models/gpt%2F4")
    assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")


async def test_a_pair_without_a_scorer_says_so(client: Client) -> None:
    told = await client.chat(model="bundled:rsd")
    assert (told.status, told.error["code"]) == (501, "no_scorer")
    assert "RSD needs a scorer" in told.error["message"]


@pytest.mark.slow
async def test_methods_and_thresholds_by_name_and_body(client: Client) -> None:
    told = await client.chat(model="bundled:srm")
    assert told.body["trigreason"]["smt"] == 1.0
    assert told.body["model"] == "bundled:srm"
    named = await client.chat(model="bundled:rho=0.25,n=1,k=3")
    assert (await trace_of(client, named)).thresholds.rho == 0.25
    options = {"rho": 1.0, "n": 2, "method": "trigreason"}
    both = await client.chat(model="bundled:lrm:rho=0.25,n=1,k=3", trigreason=options)
    trace = await trace_of(client, both)
    assert trace.method == both.headers["x-trigreason-method"] == "trigreason"
    assert (trace.thresholds.rho, trace.thresholds.n, trace.thresholds.k) == (1.0, 2, 3)


@pytest.mark.slow
async def test_events(client: Client) -> None:
    asked = {"events": True}
    whole = await client.chat(trigreason=asked)
    streamed = await client.chat(trigreason=asked, stream=True)
    told = whole.body["trigreason"]["events"]
    in_stream = [
        each["trigreason"]["event"]
        for each in streamed.chunks
        if "event" in each.get("trigreason", {})
    ]
    # what a cache still holds changes the last digits of logprobs
    logprobs = [each.pop("logprobs") for each in in_stream if "logprobs" in each]
    for each in told:
        if "logprobs" in each:
            assert each.pop("logprobs") == pytest.approx(logprobs.pop(0), abs=0.01)
    assert told == in_stream
    assert not logprobs
    drafts = [each for each in told if each["type"] == "draft_dropped"]
    assert len(drafts) == whole.body["trigreason"]["drafts"] > 0
    accepted = [each for each in told if each["type"] == "step_accepted"]
    thought = whole.body["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert sum(each["tokens"] for each in accepted) == thought


@pytest.mark.slow
async def test_stop_strings_end_the_answer_alone(client: Client) -> None:
    whole = await client.chat()
    assert "boxed" in whole.message["content"]
    assert ": " in whole.message["reasoning_content"]
    for stream in (False, True):
        told = await client.chat(stop=["boxed", "\n\n"], stream=stream)
        content = told.joined("content") if stream else told.message["content"]
        thinking = told.joined("reasoning_content") if stream else told.message["reasoning_content"]
        assert content == whole.message["content"].split("boxed")[0]
        assert thinking == whole.message["reasoning_content"]
        last = told.chunks[-1] if stream else told.body
        assert last["choices"][0]["finish_reason"] == "stop"
        assert last["trigreason"]["stop"] == "stop_string"
    kept = await trace_of(client, await client.chat(stop="boxed"))
    assert kept.stop is None, "the run was left, and its trace is kept all the same"


@pytest.mark.slow
async def test_no_answer_is_longer_than_asked_for(client: Client) -> None:
    for most in (1, 2, 3, 5, 8, 20, 60):
        told = await client.chat(max_completion_tokens=most)
        assert told.status == 200
        usage = told.body["usage"]
        assert 0 < usage["completion_tokens"] <= max(2, most)
        finish, account = told.body["choices"][0]["finish_reason"], told.body["trigreason"]
        assert finish == ("length" if account["stop"] == "truncated" else "stop")
        assert account["limit"] is not None


async def test_effort_bounds_the_thinking(client: Client) -> None:
    told = await client.chat(reasoning_effort="minimal", trigreason={"thinking_tokens": 7})
    assert told.body["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 7
    assert told.body["trigreason"]["limit"] == "thinking_tokens"
    assert told.body["trigreason"]["stop"] in ("closed", "truncated")


@pytest.mark.slow
async def test_choices_run_beside_each_other_under_seeds_of_their_own(client: Client) -> None:
    # one that the pair knows: where it is unsure, a batch of three can tip a near tie
    whole = await client.chat(n=3, seed=7)
    streamed = await client.chat(n=3, seed=7, stream=True)
    alone = [await client.chat(seed=seed) for seed in (7, 8, 9)]
    for index, single in enumerate(alone):
        message = whole.body["choices"][index]["message"]
        assert message == single.message
        assert streamed.joined("content", index) == single.message["content"]
        assert streamed.joined("reasoning_content", index) == single.message["reasoning_content"]
    spent = sum(each.body["usage"]["completion_tokens"] for each in alone)
    assert whole.body["usage"]["completion_tokens"] == spent
    assert [each["seed"] for each in whole.body["trigreason"]["runs"]] == [7, 8, 9]
    trace = await trace_of(client, whole, 2)
    assert trace.answer == whole.body["choices"][2]["message"]["content"]


@pytest.mark.slow
async def test_many_at_once_are_answered_as_alone(client: Client) -> None:
    alone = [(await client.chat(seed=seed)).message for seed in range(6)]
    at_once = await asyncio.gather(*(client.chat(seed=seed) for seed in range(6)))
    assert [each.message for each in at_once] == alone


@pytest.mark.parametrize(
    "question",
    [
        "👍🏽 é\u0301 日本 \u202e \0 \x7f",
        "<think></think> <|im_end|>",
        "\n\n\n?",
        "{{ x }} {% if %}",
    ],
)
async def test_odd_questions_are_questions(client: Client, question: str) -> None:
    told = await client.chat(question, max_tokens=30)
    assert told.status == 200
    assert (await trace_of(client, told)).messages[0].content == question


async def test_a_question_longer_than_the_context(client: Client) -> None:
    for stream in (False, True):
        told = await client.chat("not True and " * 2000, stream=stream)
        assert (told.status, told.error["param"]) == (400, "messages")
        assert told.error["code"] == "context_length_exceeded"


async def test_turns_and_roles(client: Client) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "not True is"}]},
        {"role": "assistant", "content": "False.", "reasoning_content": "Easy."},
        {"role": "user", "content": "not False is"},
    ]
    told = await client.chat(messages=messages, max_tokens=40)
    trace = await trace_of(client, told)
    assert [each.role for each in trace.messages] == ["system", "user", "assistant", "user"]
    assert "Easy." not in str(trace.messages)


async def test_traces_are_kept_only_where_that_is_said(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path) as client:
        told = await client.chat(max_tokens=10)
        kept = await client.get(f"/v1/traces/{told.body['id']}")
        assert (kept.status, kept.error["code"]) == (404, "trace_not_found")
        assert "gateway.traces.keep" in kept.error["message"]


async def test_health_and_measurements(client: Client) -> None:
    assert (await client.get("/healthz")).body == {"status": "ok"}
    ready = await client.get("/readyz")
    assert (ready.status, ready.body["pairs"]) == (200, {"bundled": "ready"})
    await client.chat(max_tokens=10)
    page = await client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert "trigreason_" in page.text
    assert (await client.get("/openapi.json")).body["info"]["title"] == "TrigReason gateway"
    assert (await client.get("/docs")).status == 200
