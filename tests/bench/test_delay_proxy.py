"""The proxy of the edge-cloud benchmark delays what it says, and changes nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from bench.delay_proxy import DelayProxy, Network
from tests.conftest import soon
from tests.scripted_server import chatter, listening, serve
from trigreason.bundled import problems
from trigreason.engines.base import EngineRefused, Prefix, Request, Sampling, Usage
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import HttpEngine
from trigreason.pairs import Pair
from trigreason.reasoning import Message, Token

PREFIX = Prefix((Message("user", problems()[0].question),))
GREEDY = Sampling(temperature=0)


@asynccontextmanager
async def behind(engine: HttpEngine, network: Network) -> AsyncIterator[HttpEngine]:
    """The engine, spoken to through a proxy."""
    async with listening(DelayProxy(network).application()) as proxy:
        direct = engine.url
        engine.url = direct.replace("http:/", proxy)
        yield engine
        engine.url = direct


async def written(engine: HttpEngine, max_tokens: int = 12) -> tuple[list[Token], Usage, float]:
    """What is written, what is counted, and the seconds until the first token."""
    tokens: list[Token] = []
    start = perf_counter()
    first = 0.0
    async with engine.send(
        Request(PREFIX, GREEDY, max_tokens=max_tokens, alternatives=0)
    ) as stream:
        async for arrived in stream:
            first = first or perf_counter() - start
            tokens += arrived
    return tokens, stream.usage, first


def lrm(pair: Pair) -> HttpEngine:
    assert isinstance(pair.lrm, HttpEngine)
    return pair.lrm


async def test_the_same_tokens_come_and_the_prompt_is_counted_as_it_arrived(
    bundled_pair: Pair,
) -> None:
    engine = lrm(bundled_pair)
    async with behind(engine, Network()):
        fresh, first_time, _ = await written(engine)
        again, second_time, _ = await written(engine)
    direct, _, _ = await written(engine)
    assert [token.text for token in fresh] == [token.text for token in direct]
    assert [token.text for token in again] == [token.text for token in direct]
    assert first_time.cached_tokens == 0
    assert first_time.prompt_tokens == second_time.prompt_tokens
    assert second_time.prompt_tokens is not None
    assert second_time.cached_tokens == second_time.prompt_tokens - 1


@pytest.mark.slow
async def test_the_first_token_waits_for_the_network_and_for_what_is_not_cached(
    bundled_pair: Pair,
) -> None:
    engine = lrm(bundled_pair)
    async with behind(engine, Network(round_trip=0.1, first_token=0.2, prefill_rate=200)):
        _, usage, cold = await written(engine)
        _, _, warm = await written(engine)
    assert usage.prompt_tokens is not None
    assert cold >= 0.3 + usage.prompt_tokens / 200
    assert 0.3 <= warm < cold


async def test_tokens_come_no_faster_than_the_rate(bundled_pair: Pair) -> None:
    engine = lrm(bundled_pair)
    async with behind(engine, Network(token_rate=50)):
        start = perf_counter()
        tokens, _, first = await written(engine, 11)
        assert len(tokens) == 11
        assert perf_counter() - start - first >= 10 / 50 - 0.01


async def test_a_refusal_is_passed_on(bundled_pair: Pair) -> None:
    engine = lrm(bundled_pair)
    too_long = Prefix((Message("user", "word " * 3000),))
    async with behind(engine, Network()):
        with pytest.raises(EngineRefused):
            async with engine.send(Request(too_long, GREEDY, max_tokens=4)):
                pass


@pytest.mark.parametrize(
    "network",
    [Network(), Network(first_token=60), Network(token_rate=1)],
    ids=["while it writes", "before the first token", "while a token is held back"],
)
async def test_a_close_is_a_close_upstream(network: Network) -> None:
    async with serve(lambda _: chatter()) as server:
        engine = CompletionsEngine(server.url, "m")
        async with (
            behind(engine, network),
            engine.send(Request(PREFIX, GREEDY, max_tokens=4000, alternatives=0)) as stream,
        ):
            if not network.first_token:
                await anext(aiter(stream))
        assert await soon(lambda: not server.open_streams)
        await engine.close()
