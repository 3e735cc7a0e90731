"""Requests that the gateway turns down, always in OpenAI's shape, and never with a 500."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import CHAT, Client, asked_gateway
from tests.gateway.serving import chat, configured
from tests.gateway.storage.books import record
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.server import opened_service
from trigreason.gateway.storage import DatabaseAway

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
LIMITS = """
[gateway]
[gateway.limits]
running = 3
body_bytes = 20000
messages = 4
choices = 8
"""
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of one gateway for all tests here."""
    async with asked_gateway(tmp_path_factory.mktemp("gateway"), LIMITS) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def client(shared: Client) -> AsyncIterator[Client]:
    yield shared
    assert shared.is_idle


BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "nothing": (b"", JSON),
    "no JSON": (b"{", JSON),
    "words": (b"hello", JSON),
    "null": (b"null", JSON),
    "a list": (b"[]", JSON),
    "a number": (b"5", JSON),
    "no UTF-8": (b'{"model": "\xff"}', JSON),
    "another charset": ('{"model": "é"}'.encode("latin-1"), JSON),
    "UTF-16": (json.dumps(chat()).encode("utf-16"), {"content-type": "text/plain"}),
    "deep": (b"[" * 9000, JSON),
    "deep in a field": (b'{"metadata":' + b'{"a":' * 3000 + b"1" + b"}" * 3001, JSON),
    "a huge number": (b'{"seed": ' + b"9" * 9000 + b"}", JSON),
    "no type": (json.dumps(chat()).encode(), {"content-type": ""}),
    "plain text": (json.dumps(chat()).encode(), {"content-type": "text/plain"}),
    "a form": (b"model=bundled", {"content-type": "application/x-www-form-urlencoded"}),
    "parts": (b"--x--", {"content-type": "multipart/form-data; boundary=x"}),
    "a damaged type": (json.dumps(chat()).encode(), {"content-type": "application/json; ="}),
}


async def test_bodies_that_are_none(client: Client) -> None:
    for name, (body, headers) in BODIES.items():
        told = await client.send("POST", CHAT, data=body, headers=headers)
        if name == "a damaged type":  # it says JSON, and it is
            assert told.status == 200
            continue
        assert told.status == 400, name
        assert told.error["type"] == "invalid_request_error", name


FIELDS: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"model": None}, "model", None),
    ({"model": 5}, "model", None),
    ({"model": ""}, "model", None),
    ({"model": "bundled:rho=2"}, "model", None),
    ({"model": "\ud800"}, "model", None),
    ({"model": "gpt-4o"}, "model", "model_not_found"),
    ({"messages": []}, "messages", None),
    ({"messages": [{"role": "user", "content": ""}]}, "messages", None),
    ({"messages": [{"role": "user", "content": " \n\t"}]}, "messages", None),
    ({"messages": [{"role": "user", "content": []}]}, "messages", None),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", None),
    ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content", None),
    ({"messages": [{"content": "Why?"}]}, "messages[0].role", None),
    ({"messages": ["Why?"]}, "messages[0]", None),
    ({"messages": [{"role": "user", "content": "?"}] * 5}, "messages", None),
    ({"n": 4}, "n", None),
    ({"n": 10**30}, "n", None),
    ({"max_tokens": -2}, "max_tokens", None),
    ({"temperature": 3}, "temperature", None),
    ({"temperature": float("nan")}, "temperature", None),
    ({"top_p": 1e400}, "top_p", None),
    ({"seed": 2**64}, "seed", None),
    ({"seed": "5"}, None, None),
    ({"stop": [5]}, "stop", None),
    ({"stop": {"a": 1}}, "stop", None),
    ({"stream": True, "stream_options": 5}, "stream_options", None),
    ({"tools": [{"type": "function"}]}, "tools[0].function.name", None),
    ({"tools": [{"type": "web_search"}]}, "tools[0]", "unsupported_parameter"),
    ({"trigreason": {"rho": 7}}, "trigreason.rho", None),
    ({"trigreason": {"method": "magic"}}, "trigreason.method", None),
    ({"trigreason": {"x": 1}}, "trigreason.x", "unknown_field"),
    ({"trigreason": []}, "trigreason", None),
    ({"trigreason": {"x" * 5000: 1}}, f"trigreason.{'x' * 189}", "unknown_field"),
    ({"\ud800": 1}, None, None),
    ({"metadata": {"\ud800": 1}, "n": 9}, "metadata.\\ud800", None),
    ({"metadata": {"a": ["\udfff"]}}, "metadata.a[0]", None),
    *(({name: "\ud800"}, name, None) for name in ("user", "stop", "prompt_cache_key", "tools")),
    ({"messages": [{"role": "user", "name": "\ud800", "content": "?"}]}, "messages[0].name", None),
    ({"trigreason": {"method": "\ud800"}}, "trigreason.method", None),
]


async def test_the_field_at_fault_is_named(client: Client) -> None:
    for fields, param, code in FIELDS:
        body = json.dumps(chat() | fields).encode()
        told = await client.send("POST", CHAT, data=body, headers=JSON)
        if fields == {"seed": "5"}:  # read as a number, as other lenient servers do
            assert told.status == 200
            continue
        assert told.status == (404 if code == "model_not_found" else 400), fields
        if param is not None:
            assert (told.error["param"], told.error["code"]) == (param, code), fields
        assert len(told.text) < 1500


async def test_bodies_that_are_too_large(client: Client) -> None:
    body = json.dumps(chat("x" * 20_000)).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    for data in (body, in_pieces()):
        told = await client.send("POST", CHAT, data=data, headers=JSON)
        assert (told.status, told.error["code"]) == (413, "body_too_large")
        assert "20,000 bytes" in told.error["message"]
    assert (await client.chat(max_tokens=4)).status == 200


async def test_pages_that_there_are_not(client: Client) -> None:
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/moderations", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/v1/traces/nothing", 404),
        ("GET", "/v1/traces/%00", 404),
        ("GET", "/" + "x" * 5000, 404),
    ):
        told = await client.send(method, path)
        assert told.status == status, path
        assert told.error["type"] == "invalid_request_error"
        assert len(told.text) < 600


async def test_another_name_for_this_machine_is_refused(client: Client) -> None:
    for host in ("evil.example", "[", "127.0.0.1.evil.example"):
        told = await client.send("GET", "/v1/models", headers={"host": host})
        assert (told.status, told.error["code"]) == (403, "forbidden_host")


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        *((f"http://{host}", True) for host in ("localhost:5173", "127.0.0.1", "[::1]:80")),
        *((f"https://{host}", False) for host in ("evil.example", "localhost.evil.example")),
        ("null", False),
    ],
)
async def test_pages_of_this_machine_may_ask(client: Client, origin: str, own: bool) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "x-y"}
    preflight = await client.send("OPTIONS", CHAT, headers={"origin": origin} | asks)
    assert (preflight.status == 200) is own
    models = await client.send("GET", "/v1/models", headers={"origin": origin})
    for told in (preflight, models):
        assert ("access-control-allow-origin" in told.headers) is own


async def test_keys_and_their_pairs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    toml = '[gateway]\npairs = ["bundled", "other"]\n[gateway.traces]\nkeep = true\n' + OTHER
    async with asked_gateway(tmp_path, toml, wait=False) as client:
        await client.service.catalogue["bundled"].opened.wait()
        storage = client.service.storage
        ann, ben = [
            client.with_key((await storage.create_key(name, pairs=pairs)).text)
            for name, pairs in (("ann", ["bundled"]), ("ben", None))
        ]
        for path in ("/v1/models", "/v1/traces/x"):
            assert (await client.with_key("tr-nonsense").get(path)).status == 401
        caplog.clear()
        with caplog.at_level("INFO", "trigreason.gateway"):
            wrong = "tr-0123456789-" + "a" * 43
            assert (await client.with_key(wrong).chat()).status == 401
        (line,) = [each for each in caplog.records if each.getMessage() == "refused"]
        facts = vars(line)["trigreason_facts"]
        assert (facts["reason"], facts["source"]) == ("invalid_api_key", "127.0.0.1")
        assert facts["key"] == "0123456789"
        assert (await client.with_key("tr-nonsense").chat()).error["code"] == "invalid_api_key"
        told = await ann.chat(max_tokens=5)
        assert told.status == 200
        names = {each["id"].split(":")[0] for each in (await ann.get("/v1/models")).body["data"]}
        assert names == {"bundled"}
        for name in ("other:lrm", "nothing"):
            refused = await ann.chat(model=name)
            assert (refused.status, refused.error["code"]) == (404, "model_not_found")
            assert refused.error["message"].endswith("There are: bundled.")
        for path in ("/v1/models/other", "/v1/models/othr", "/v1/models", "/readyz"):
            text = (await ann.get(path)).text
            assert "other" not in text.replace("model 'other'", "")
        assert (await client.get("/readyz")).body.keys() == {"status"}, "without a key no names"
        assert (await ben.get("/readyz")).body["pairs"].keys() == {"bundled", "other"}
        trace = f"/v1/traces/{told.body['id']}"
        assert (await ann.get(trace)).status == 200
        whole: dict[str, Any] = {"prices": {"lrm": 5}, "stretches": [], "degraded": None}
        storage.enter(record("whole", key=str(ann.key).split("-")[1], traces={"whole": whole}))
        assert (await ann.get("/v1/traces/whole")).body["prices"] == {}
        assert (await ben.get(trace)).status == 404, "it is another's"


OTHER = """
[engines.away]
url = "http://127.0.0.1:9"
model = "away"
[pairs.other]
srm = "away"
lrm = "away"
"""


async def test_the_limits_of_a_key(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path) as client:
        limits = KeyLimits(requests_per_minute=2)
        key = await client.service.storage.create_key("ann", limits=limits)
        ann = client.with_key(key.text)
        told = [await ann.chat(max_tokens=4) for _ in range(5)]
        assert sum(each.status == 200 for each in told) in (2, 3, 4)  # a minute may have ended
        over = next(each for each in told if each.status != 200)
        assert (over.status, over.error["code"]) == (429, "rate_limit_exceeded")
        assert over.error["type"] == "rate_limit_error"
        assert 1 <= int(over.headers["retry-after"]) <= 60


async def test_a_database_that_is_away_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked_gateway(tmp_path) as client:
        limits = KeyLimits(requests_per_minute=100)
        key = await client.service.storage.create_key("ann", limits=limits)

        async def away(*_: object) -> None:
            raise DatabaseAway("it does not answer")

        monkeypatch.setattr(client.service.storage, "admit", away)
        told = await client.with_key(key.text).chat()
        assert (told.status, told.error["code"]) == (503, "database_away")
        monkeypatch.setattr(client.service.storage, "authenticate", away)
        told = await client.with_key(key.text).get("/v1/models")
        assert (told.status, told.error["code"]) == (503, "database_away")
        assert told.headers["retry-after"] == "5"


async def test_other_machines_need_keys(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    for host in ("0.0.0.0", "::", "10.0.0.7", "example.org"):
        with pytest.raises(ValueError, match="trigreason keys create"):
            async with opened_service(configuration, {}, host=host):
                raise AssertionError("everybody could use it")
    async with opened_service(configuration, {}, host="127.0.0.1") as service:
        await service.storage.create_key("ann")
    async with opened_service(configuration, {}, host="0.0.0.0") as service:
        assert not service.is_local
