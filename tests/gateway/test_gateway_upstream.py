"""The gateway over scripted models: slow, failing, away, and clients that leave or do not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import ListedModel, served
from tests.conftest import soon
from tests.gateway.client import CHAT, Client, asked_gateway
from tests.gateway.serving import chat
from tests.scripted_server import Body, Reply, Script, chatter, say
from tests.servers import free_port
from trigreason.engines.breaker import BreakerState
from trigreason.gateway.keys import KeyLimits
from trigreason.reasoning import Author

pytestmark = pytest.mark.slow

THOUGHT = "One.\n\nTwo.</think>\n\nSeven."


def pair_at(small: str, large: str, limits: str = "") -> str:
    """A configuration of the pair ``two``: nothing fires, and whoever is away is missed."""
    return f"""
[engines.small]
url = "{small}"
model = "told"
[engines.large]
url = "{large}"
model = "told"
prices = {{ input = 1, output = 2 }}
[pairs.two]
srm = "small"
lrm = "large"
thresholds = {{ n = 0, rho = 1, m = 0 }}
failure = {{ retries = 0, srm_away = "fail", lrm_away = "fail" }}
[gateway]
[gateway.limits]
{limits}
"""


@dataclass
class Upstream:
    client: Client
    srm: ListedModel

    async def ask(self, **fields: Any) -> Any:
        return await self.client.chat(**{"model": "two"} | fields)

    async def open(self, **fields: Any) -> asyncio.Task[Any]:
        """A request under way, as far as the model."""
        before = len(self.srm.bodies)
        task = asyncio.create_task(self.ask(**fields))
        assert await soon(lambda: len(self.srm.bodies) > before)
        return task


@asynccontextmanager
async def upstream(folder: Path, script: Script, limits: str = "") -> AsyncIterator[Upstream]:
    async with served(script) as srm, served(()) as lrm:
        toml = pair_at(srm.url.partition("@")[2], lrm.url.partition("@")[2], limits)
        async with asked_gateway(folder, toml) as client:
            yield Upstream(client, srm)
            assert await soon(lambda: client.is_idle and not srm.open_streams)


def always(reply: Reply) -> Script:
    def script(_: Body) -> Reply:
        return reply

    return script


async def test_a_slow_model_and_comments_meanwhile(tmp_path: Path) -> None:
    slow = always(say(THOUGHT, pause=0.3, per_chunk=3))
    async with upstream(tmp_path, slow, "keepalive_seconds = 0.1") as two:
        told = await two.ask(stream=True)
        assert told.text.startswith(": keep-alive\n\n"), "headers do not wait for the first text"
        assert told.text.count(": keep-alive\n\n") in range(3, 9)
        assert told.joined("content") == "Seven."
        assert told.headers["server-timing"].startswith("queue;dur=")
        assert not (await two.ask()).text.startswith(":")


async def test_the_reasoning_goes_under_the_name_that_is_configured(tmp_path: Path) -> None:
    async with served(always(say(THOUGHT))) as srm, served(()) as lrm:
        toml = pair_at(srm.url.partition("@")[2], lrm.url.partition("@")[2])
        toml = toml.replace("[gateway]\n", '[gateway]\nreasoning_field = "reasoning"\n')
        async with asked_gateway(tmp_path, toml) as client:
            told = await client.chat(model="two", stream=True)
            assert told.joined("reasoning") == "One.\n\nTwo."
            assert "reasoning_content" not in told.text


async def test_comments_also_while_waiting_for_a_place(tmp_path: Path) -> None:
    replies = [chatter(), say(THOUGHT)]
    limits = "running = 1\nkeepalive_seconds = 0.05"
    async with upstream(tmp_path, replies, limits) as two:
        first = await two.open()
        waiting = asyncio.create_task(two.ask(stream=True))
        assert await soon(lambda: two.client.service.admission.waiting == 1)
        await asyncio.sleep(0.2)
        first.cancel()
        told = await waiting
        assert told.text.count(": keep-alive\n\n") >= 3
        assert "server-timing" not in told.headers, "how long it waits was not known yet"
        assert told.joined("content") == "Seven."
        assert told.chunks[-1]["trigreason"]["queued_seconds"] > 0.15


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_text_has_a_status(tmp_path: Path, stream: bool) -> None:
    broken = [Reply([], status=500, error="see http://10.0.0.7:8001 sk-secret")]
    async with upstream(tmp_path, broken) as two:
        told = await two.ask(stream=stream)
        assert (told.status, told.error["code"]) == (502, "engine_failed")
        assert told.error["type"] == "server_error"
        for secret in ("10.0.0.7", "secret", two.srm.url.partition("@")[2]):
            assert secret not in told.text


async def test_a_model_that_is_gone_is_told_without_its_address(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}/v1"
    async with served(always(say("One.\n\n", then="length"))) as srm:
        here = srm.url.partition("@")[2]
        async with asked_gateway(tmp_path, pair_at(here, away), wait=False) as client:
            assert await soon(lambda: "opened" not in client.service.catalogue["two"].problem)
            told = await client.chat(model="two", stream=True)
            assert (told.status, told.error["code"]) == (503, "engine_unavailable")
            assert int(told.headers["retry-after"]) >= 1
            ready = await client.get("/readyz")
            assert ready.status == 503
            for text in (told.text, ready.text):
                assert "127.0.0.1" not in text
                assert away.rpartition(":")[2].split("/")[0] not in text


async def test_models_behind_a_proxy_answer_and_are_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with served(always(say(THOUGHT))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.partition("@")[2].removesuffix("/v1"))
        toml = pair_at("http://small.example/v1", "http://large.example/v1")
        async with asked_gateway(tmp_path, toml) as client:
            assert (await client.chat(model="two")).message["content"] == "Seven."
            assert (await client.get("/readyz")).status == 200


async def test_a_failure_behind_the_first_text_is_an_event(tmp_path: Path) -> None:
    async with upstream(tmp_path, [say("One.\n\nTwo", then="error")]) as two:
        told = await two.ask(stream=True)
        assert told.status == 200
        *others, last = told.chunks
        assert last["error"]["code"] == "engine_failed"
        assert last["error"].keys() == {"message", "type", "param", "code"}
        assert last["trigreason"]["stop"] == "failed"
        assert not any(each["choices"][0]["finish_reason"] for each in others)
        assert told.text.endswith("data: [DONE]\n\n")


async def test_one_of_several_choices_fails_and_the_others_are_closed(tmp_path: Path) -> None:
    replies = [chatter(), Reply([], status=500), chatter()]
    async with upstream(tmp_path, replies) as two:
        told = await two.ask(n=3)
        assert (told.status, told.error["code"]) == (502, "engine_failed")
        assert await soon(lambda: two.srm.open_streams == 0)


async def test_a_prompt_that_fails_everywhere_takes_the_pair_from_nobody(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        return Reply([], status=500) if "poison" in body["prompt"] else say(THOUGHT)

    async with served(script) as srm, served(()) as lrm:
        toml = pair_at(srm.url.partition("@")[2], lrm.url.partition("@")[2])
        toml = toml.replace("retries = 0", "retries = 4, backoff_seconds = 0.001")
        async with asked_gateway(tmp_path, toml) as client:
            for _ in range(4):
                assert (await client.chat("poison", model="two")).status == 502
            assert len(srm.bodies) == 20
            told = await client.chat(model="two")
            assert told.message["content"] == "Seven."


async def test_a_conversation_that_the_client_names_keeps_its_session(tmp_path: Path) -> None:
    named: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "a header": ({"x-session-id": "Ann's taxes"}, {}),
        "the same in the body": ({}, {"prompt_cache_key": "Ann's taxes"}),
        "both, of which the header counts": (
            {"x-session-id": "Ann's taxes"},
            {"prompt_cache_key": "another"},
        ),
        "another": ({}, {"prompt_cache_key": "another"}),
        "a user, who may have many": ({}, {"user": "Ann's taxes"}),
        "nothing": ({}, {}),
    }

    async def sessions(two: Upstream, client: Client) -> dict[str, str | None]:
        found = {}
        for how, (headers, fields) in named.items():
            body = chat("?", model="two") | fields
            told = await client.send("POST", CHAT, json=body, headers=headers)
            assert told.status == 200
            found[how] = two.srm.sessions[-1]
        return found

    async with upstream(tmp_path, always(say(THOUGHT))) as two:
        found = [await sessions(two, two.client)]
    async with upstream(tmp_path, always(say(THOUGHT))) as two:
        for name in ("ann", "ben"):
            key = await two.client.service.storage.create_key(name)
            found.append(await sessions(two, two.client.with_key(key.text)))
        response = {"model": "two", "input": "?", "prompt_cache_key": "another"}
        told = await two.client.with_key(key.text).send("POST", "/v1/responses", json=response)
        assert told.status == 200
        assert two.srm.sessions[-1] == found[-1]["another"]
    for each in found:
        same = {each["a header"], each["the same in the body"]}
        assert same == {each["both, of which the header counts"]}
        assert len({*each.values()}) == len(named) - 2
    everybody = [session for each in found for session in {*each.values()}]
    assert len({*everybody}) == len(everybody), "clients share no session"


async def test_tokens_of_others_keep_the_breaker_closed(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        return Reply([], status=500) if "poison" in body["prompt"] else chatter("One.\n\n")

    async with upstream(tmp_path, script) as two:
        beside = await two.open(stream=True)
        for _ in range(8):
            assert (await two.ask(messages=[{"role": "user", "content": "poison"}])).status == 502
            await asyncio.sleep(0.02)
        engine = two.client.service.catalogue["two"].engines[Author.SRM]
        assert engine.breaker.state is BreakerState.CLOSED
        beside.cancel()


async def test_each_choice_has_a_seed_of_its_own(tmp_path: Path) -> None:
    async with upstream(tmp_path, always(say(THOUGHT))) as two:
        told = await two.ask(n=3, seed=7)
        assert [run["seed"] for run in told.body["trigreason"]["runs"]] == [7, 8, 9]
        assert len({body["seed"] for body in two.srm.bodies}) == 3


async def test_what_is_reserved_is_at_the_highest_price(tmp_path: Path) -> None:
    """10,240 tokens: 0.02 USD by the one price, 0.51 USD by the other."""
    script = [chatter(), say(THOUGHT)]
    async with served(script) as srm, served(()) as lrm:
        toml = pair_at(srm.url.partition("@")[2], lrm.url.partition("@")[2])
        dear = "prices = { input = 0, output = 50 }\n[engines.large]"
        toml = toml.replace("[engines.large]", dear)
        async with asked_gateway(tmp_path, toml) as client:
            limits = KeyLimits(usd_per_day=0.1)
            key = await client.service.storage.create_key("ann", limits=limits)
            two = Upstream(client.with_key(key.text), srm)
            first = await two.open()
            assert (await two.ask()).status == 429
            first.cancel()


async def test_a_pair_without_a_risk_model_cannot_run_the_method_that_needs_it(
    tmp_path: Path,
) -> None:
    async with upstream(tmp_path, []) as two:
        told = await two.client.chat(model="two:learned")
        assert told.status == 400
        assert "calibrate LOGS --method learned" in told.error["message"]
        listed = [each["id"] for each in (await two.client.get("/v1/models")).body["data"]]
        assert "two:glimprouter" in listed
        assert "two:learned" not in listed
