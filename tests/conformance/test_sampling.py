"""Sampling parameters mean the same on every server, and what is off is off."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest

from tests.conformance.served import RealServer, said
from trigreason.bundled import problems
from trigreason.engines.base import EngineFailed, Finish, Prefix, Request, Sampling
from trigreason.engines.completions import CompletionsEngine
from trigreason.reasoning import Message, Token

QUESTION = (Message("user", problems()[0].question),)
OPEN = Sampling(temperature=1.0, top_p=1.0, seed=7)
DRAWS = 160


async def test_seeds(server: RealServer) -> None:
    """The same seed draws the same text, another one another."""
    server.skip_without_seeds()
    async with server.srm.engine() as engine:
        rounds = [
            [
                (await said(engine, Prefix(QUESTION), 120, replace(OPEN, seed=seed))).text
                for seed in range(3)
            ]
            for _ in range(2)
        ]
    assert rounds[0] == rounds[1]
    assert len(set(rounds[0])) == 3


@pytest.mark.parametrize("max_tokens", [1, 2, 7, 60])
async def test_max_tokens(server: RealServer, max_tokens: int) -> None:
    async with server.srm.engine() as engine:
        told = await said(engine, Prefix(QUESTION), max_tokens)
    assert len(told.tokens) == max_tokens
    assert told.stream.finish is Finish.LENGTH
    assert told.stream.usage.completion_tokens == max_tokens


async def test_a_turn_that_ends(server: RealServer) -> None:
    async with server.lrm.engine() as engine:
        told = await said(engine, Prefix((Message("user", "not ( True ) and ( True ) is"),)), 600)
    assert told.stream.finish is Finish.STOP
    assert "<|im_end|>" not in told.text


async def test_filters_are_off(server: RealServer) -> None:
    """More first tokens than a top-k of 40 allows, and less likely ones than a min-p of 0.05.

    They are drawn where nearly any token may follow, at the highest temperature that vLLM takes.
    """
    hot = replace(OPEN, temperature=2.0)
    async with server.srm.engine() as engine:
        drawn = await asyncio.gather(
            *(first_token(engine, replace(hot, seed=seed)) for seed in range(DRAWS))
        )
    tokens = [token for token in drawn if token is not None]
    assert len({token.text for token in tokens}) > 60
    behind = [token.logprob - token.top[0].logprob for token in tokens if token.logprob is not None]
    assert min(behind) < hot.temperature * math.log(0.05)


async def first_token(engine: CompletionsEngine, sampling: Sampling) -> Token | None:
    """What is drawn where nearly any token may follow; None for bytes that are no character.

    Some builds of llama.cpp (10434, not 11549) end a stream of such bytes with an error.
    """
    anything = Prefix((Message("user", "Who?"),), "7^")
    try:
        async with engine.send(Request(anything, sampling, max_tokens=2, alternatives=0)) as stream:
            async for arrival in stream:
                return arrival[0]
    except EngineFailed as error:
        if "does not match the expected Content-only format" not in error.what:
            raise
    return None


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"min_p": 1.0}, {"top_p": 1e-6}], ids=str)
async def test_filters_that_leave_one_token(server: RealServer, narrow: dict[str, float]) -> None:
    async with server.srm.engine() as engine:
        greedy = await said(engine, Prefix(QUESTION), 40)
        told = await said(engine, Prefix(QUESTION), 40, replace(OPEN, **narrow))  # type: ignore[arg-type]
    assert told.text == greedy.text


async def test_one_step(server: RealServer) -> None:
    """The server stops at the first blank line, and the stream gives it, once."""
    async with server.lrm.engine() as engine:
        whole = (await said(engine, Prefix(QUESTION), 100)).text
        ends = [at + 2 for at in range(len(whole)) if whole.startswith("\n\n", at)]
        for begin, end in zip([0, *ends], ends, strict=False):
            told = await said(engine, Prefix(QUESTION, whole[:begin]), 100, one_step=True)
            assert told.text == whole[begin:end]
            assert told.stream.finish is Finish.STOP
    assert len(ends) >= 2


async def test_one_step_that_ends_the_turn(server: RealServer) -> None:
    """Where the model ends its turn first, no blank line is made up."""
    question = (Message("user", "not ( True ) and ( True ) is"),)
    async with server.lrm.engine() as engine:
        whole = (await said(engine, Prefix(question), 600)).text
        last = whole.rindex("\n\n") + 2
        told = await said(engine, Prefix(question, whole[:last]), 600, one_step=True)
    assert told.text == whole[last:]
    tells_it = server.name in ("vLLM", "SGLang")
    assert told.stream.finish is (Finish.END_OF_TURN if tells_it else Finish.STOP)
