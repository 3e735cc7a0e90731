"""The upstream of the gateway's benchmark says its text once, whoever continues it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bench.fast_upstream import ANSWER, MODEL, Prepared, fast_upstream
from trigreason.engines.base import Finish, Prefix, Request, Sampling
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import connect
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Message, StopReason, Trigger

QUESTION = (Message("user", "Why is it so?"),)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return Prepared()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with fast_upstream() as address:
        yield address


@pytest.fixture
async def pair(url: str) -> AsyncIterator[Pair]:
    opened = Pair(await connect(url), await connect(url))
    yield opened
    await opened.close()


async def test_the_whole_loop_runs_over_it_and_gives_the_text(
    pair: Pair, prepared: Prepared
) -> None:
    assert isinstance(pair.srm, CompletionsEngine)
    assert (pair.srm.dialect_name, pair.srm.model) == ("vllm", MODEL)
    trace = await completed(reason(pair, QUESTION))
    assert (trace.thinking, trace.answer) == (prepared.thinking, prepared.answer)
    assert trace.stop is StopReason.COMPLETE
    assert set(trace.handovers_by_trigger) == {
        Trigger.STRATEGIC_PRIMING,
        Trigger.COGNITIVE_OFFLOAD,
        Trigger.INTERVENTION_REQUEST,
    }


async def test_every_place_can_be_gone_on_from(pair: Pair, prepared: Prepared) -> None:
    written = ""
    while True:
        prefix = Prefix(QUESTION, written)
        async with pair.srm.send(
            Request(prefix, Sampling(), max_tokens=7, alternatives=0)
        ) as stream:
            told = [token async for tokens in stream for token in tokens]
        written += "".join(token.text for token in told)
        assert stream.usage.completion_tokens == len(told)
        if stream.finish is Finish.STOP:
            break
        assert len(told) == 7
    assert written == f"{prepared.thinking}</think>\n\n{prepared.answer}"


async def test_thinking_that_somebody_closed_is_answered(pair: Pair) -> None:
    prefix = Prefix(QUESTION, "Step 1: done.\n\n</think>\n\n")
    async with pair.srm.send(Request(prefix, Sampling(), max_tokens=2000)) as stream:
        told = [token.text async for tokens in stream for token in tokens]
    assert "".join(told) == ANSWER


@pytest.mark.parametrize("max_tokens", [None, 5])
async def test_chat_completions_say_as_much(
    url: str, prepared: Prepared, max_tokens: int | None
) -> None:
    body = {"model": MODEL, "messages": []} | ({"max_tokens": max_tokens} if max_tokens else {})
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body) as response,
    ):
        lines = (await response.text()).split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    text = "".join(value for delta in deltas for value in delta.values())
    assert (prepared.thinking + prepared.answer).startswith(text)
    assert events[-1]["usage"]["completion_tokens"] == min(max_tokens or 10**6, prepared.tokens)
    assert len(deltas) - 1 == events[-1]["usage"]["completion_tokens"]
