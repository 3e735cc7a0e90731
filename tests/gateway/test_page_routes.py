"""What the page asks of the gateway: its files, the pairs, kept traces, and replays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import Client, asked_gateway
from tests.gateway.serving import QUESTION
from trigreason.page import HEADERS, asset, decisions_by
from trigreason.reasoning import Thresholds, Trace, methods, trace_from_json

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
KEPT = "[gateway]\n[gateway.traces]\nkeep = true\n"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path_factory.mktemp("gateway"), KEPT) as asking:
        yield asking


async def recorded(client: Client, **options: Any) -> dict[str, Any]:
    told = await client.chat(trigreason={"trace": True, **options})
    trace: dict[str, Any] = told.body["trigreason"]["trace"]
    return trace


async def test_the_page_is_for_browsers_alone(client: Client) -> None:
    page = await client.send("GET", "/", headers=BROWSER)
    assert page.status == 200
    index = asset("index.html")
    assert index is not None
    assert page.text.encode() == index.body
    assert "Accept" in page.headers["vary"].title()
    for accepts in ("*/*", "application/json", ""):
        other = await client.send("GET", "/", headers={"accept": accepts})
        assert (other.status, other.error["code"]) == (404, "unknown_url")
        assert "Accept" in other.headers["vary"].title()


@pytest.mark.parametrize("name", ["main.js", "base.css", "icon.svg", "temml.LICENSE"])
async def test_its_files_have_their_kind_and_policy(client: Client, name: str) -> None:
    told = await client.get(f"/page/{name}")
    found = asset(name)
    assert found is not None
    assert (told.status, told.headers["content-type"]) == (200, found.kind)
    for field, value in HEADERS.items():
        assert told.headers[field] == value
    again = await client.send("GET", f"/page/{name}", headers={"if-none-match": found.tag})
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fbundle.py", "%2e%2e/bundle.py", ""])
async def test_there_are_no_other_files(client: Client, name: str) -> None:
    assert (await client.get(f"/page/{name}")).status == 404


async def test_pairs_tell_their_thresholds_and_methods(client: Client) -> None:
    told = (await client.get("/v1/pairs")).body
    assert told["keeps_traces"] is True
    (pair,) = told["data"]
    served = client.service.catalogue["bundled"].plan.settings.thresholds
    assert pair["id"] == "bundled"
    assert Thresholds.from_json(pair["thresholds"]) == served
    by_id = {each["id"]: each for each in pair["methods"]}
    assert set(by_id) == set(methods()) - {"rsd"}, "which needs a scorer"
    for name, method in by_id.items():
        assert method["title"] == methods()[name].title
        assert set(method["thresholds"]) == methods()[name].thresholds


async def test_a_response_has_its_trace_if_it_is_asked_for(client: Client) -> None:
    told = await client.chat(trigreason={"trace": True})
    account = told.body["trigreason"]
    kept = await client.get(f"/v1/traces/{account['trace_id']}")
    assert account["trace"] == kept.body
    assert trace_from_json(account["trace"]).answer == told.message["content"]
    streamed = await client.chat(trigreason={"trace": True}, stream=True)
    trace = trace_from_json(streamed.chunks[-1]["trigreason"]["trace"])
    assert trace.thinking == streamed.joined("reasoning_content")
    several = await client.chat(n=2, trigreason={"trace": True})
    runs = several.body["trigreason"]["runs"]
    for run, choice in zip(runs, several.body["choices"], strict=True):
        assert trace_from_json(run["trace"]).answer == choice["message"]["content"]
    assert "trace" not in (await client.chat()).body["trigreason"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": QUESTION}),
        ("/v1/completions", {"prompt": QUESTION}),
        ("/v1/messages", {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 4096}),
    ],
)
async def test_every_api_gives_the_trace(client: Client, path: str, body: dict[str, Any]) -> None:
    asked = {"model": "bundled", "trigreason": {"trace": True, "events": True}} | body
    told = await client.send("POST", path, json=asked)
    account = told.body["trigreason"]
    trace = trace_from_json(account["trace"])
    assert trace.messages[-1].content == QUESTION
    assert trace.answer
    handed = [each for each in account["events"] if each["type"] == "handed_over"]
    assert handed
    assert all(each["usd"] is None for each in handed), "the bundled pair has no price"


async def test_events_tell_what_the_page_shows(client: Client) -> None:
    told = await client.chat(trigreason={"trace": True, "events": True, "rho": 0.9})
    account = told.body["trigreason"]
    events, steps = account["events"], account["trace"]["steps"]
    assert events[0] == {
        "type": "run_begun",
        "method": "trigreason",
        "models": account["trace"]["models"],
        "thresholds": account["trace"]["thresholds"],
        "in_the_open": False,
    }
    ended = [each for each in events if each["type"] in ("step_accepted", "draft_dropped")]
    assert [each["index"] for each in ended] == list(range(len(steps)))
    for event, step in zip(ended, steps, strict=True):
        for field in ("author", "tokens", "ratio", "hesitations", "end", "logprobs", "lengths"):
            assert event[field] == step[field]
        assert sum(event["lengths"]) <= len(step["text"])
        assert len(event["lengths"]) == len(event["logprobs"]) == event["tokens"]
    handed = [each for each in events if each["type"] == "handed_over"]
    assert {each["usd"] for each in handed} == {None}, "the bundled pair has no price"


async def test_kept_traces_are_listed_newest_first(client: Client) -> None:
    first = await client.chat("What is not ( True )?", max_tokens=20)
    second = await client.chat("  What is\nnot ( False )?  ", model="bundled:srm", max_tokens=20)
    told = (await client.get("/v1/traces?limit=2")).body
    assert [each["id"] for each in told["data"]] == [second.body["id"], first.body["id"]]
    latest = told["data"][0]
    assert latest["question"] == "  What is\nnot ( False )?  "
    assert (latest["pair"], latest["method"], latest["usd"]) == ("bundled", "srm", None)
    thought = second.body["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert latest["reasoning_tokens"] == thought
    for limit in ("0", "101", "x"):
        assert (await client.get(f"/v1/traces?limit={limit}")).status == 400


async def test_a_key_lists_its_own(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, KEPT) as open_client:
        storage = open_client.service.storage
        ada, bob = [(await storage.create_key(name)).text for name in ("ada", "bob")]
        for key in (ada, bob):
            asking = open_client.with_key(key)
            told = await asking.chat(max_tokens=10)
            listed = (await asking.get("/v1/traces")).body["data"]
            assert [each["id"] for each in listed] == [told.body["id"]]


@pytest.mark.parametrize("method", ["trigreason", "steer", "lrm", "specreason", "periodic"])
async def test_a_replay_is_the_methods_own(client: Client, method: str) -> None:
    trace = await recorded(client)
    told = await client.send(
        "POST", "/v1/traces/replay", json={"trace": trace, "method": method, "rho": 0.4, "every": 2}
    )
    assert told.status == 200
    read: Trace = trace_from_json(trace)
    moved = Thresholds.from_json(trace["thresholds"] | {"rho": 0.4, "every": 2})
    assert told.body == json.loads(json.dumps(decisions_by(read, method, moved)))


async def test_a_replay_without_more_is_as_recorded(client: Client) -> None:
    trace = await recorded(client, method="periodic")
    told = await client.send("POST", "/v1/traces/replay", json={"trace": trace})
    assert told.body["method"] == "periodic"
    authors = [step["author"] for step in trace["steps"]]
    assert [each["author"] for each in told.body["decisions"]][: len(authors)] == authors


async def test_a_long_run_can_be_replayed(client: Client) -> None:
    trace = await recorded(client)
    step = trace["steps"][-1] | {"logprobs": [-0.5] * 500, "lengths": []}
    long = trace | {"steps": [step] * 100}
    told = await client.send("POST", "/v1/traces/replay", json={"trace": long, "repeats": 0})
    assert told.status == 200
    assert len(told.body["decisions"]) == 101
    longer = trace | {"steps": [step] * 600}
    told = await client.send("POST", "/v1/traces/replay", json={"trace": longer})
    assert (told.status, told.error["param"]) == (400, "body")
    chatty = await client.send("POST", "/v1/chat/completions", json={"x": [0] * 50_000})
    assert (chatty.status, chatty.error["param"]) == (400, "body"), "other bodies hold less"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "trace"),
        ({"trace": {}}, "trace"),
        ({"trace": {"schema": 2}}, "trace"),
        ({"trace": []}, "trace"),
        ({"method": "nobody"}, "method"),
        ({"rho": 2}, "rho"),
        ({"what": 1}, "what"),
        ({"method": 5}, "method"),
    ],
)
async def test_a_replay_that_cannot_be(client: Client, body: dict[str, Any], param: str) -> None:
    given = {"trace": await recorded(client)} if "trace" not in body and body else {}
    told = await client.send("POST", "/v1/traces/replay", json=given | body)
    assert (told.status, told.error["param"]) == (400, param)


@pytest.mark.parametrize(
    "broken",
    [
        {"steps": [{}]},
        {"steps": [5]},
        {"thresholds": {"rho": "much"}},
        {"method": None},
        {"degraded": {"author": "srm", "step": "x", "reason": ""}},
    ],
)
async def test_a_damaged_trace_is_refused(client: Client, broken: dict[str, Any]) -> None:
    trace = await recorded(client)
    told = await client.send("POST", "/v1/traces/replay", json={"trace": trace | broken})
    assert told.status == 400
    step = trace["steps"][0] | {"logprobs": ["x"], "text": 7}
    told = await client.send("POST", "/v1/traces/replay", json={"trace": trace | {"steps": [step]}})
    assert told.status == 400
