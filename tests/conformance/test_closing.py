"""Leaving a stream stops generation, which the server's own metrics tell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.conformance.figures import Figures
from tests.conformance.served import GREEDY, RealServer
from trigreason.bundled import problems
from trigreason.engines.base import Prefix, Request
from trigreason.engines.completions import CompletionsEngine
from trigreason.reasoning import Message

QUESTION = (Message("user", problems()[0].question),)
STREAMS = 16
TOKENS = 880
"""As many as the context has room for beside the question, so that closing comes first."""


async def begun(stack: AsyncExitStack, engine: CompletionsEngine) -> None:
    """A stream that goes on until ``stack`` is left, as far as its first token."""
    opening = engine.send(Request(Prefix(QUESTION), GREEDY, max_tokens=TOKENS))
    stream = await stack.enter_async_context(opening)
    assert await anext(aiter(stream))


async def test_closed_streams_stop(server: RealServer, figures: Figures) -> None:
    async with server.lrm.engine(ignore_eos=True) as engine:
        before = await server.lrm.generated()
        async with AsyncExitStack() as streams:
            await asyncio.gather(*(begun(streams, engine) for _ in range(STREAMS)))
            assert await server.lrm.running() == STREAMS
        seconds = await server.lrm.seconds_until(0)
        generated = await server.lrm.generated() - before
        assert generated < STREAMS * TOKENS / 2
    figures.add(f"idle after {STREAMS} streams were left", server.name, f"{seconds:.2f} s")
    figures.add(
        "tokens of them that were generated",
        server.name,
        f"{generated:.0f} of {STREAMS * TOKENS}",
    )


async def test_one_closed_stream_leaves_the_others_be(server: RealServer) -> None:
    async with server.lrm.engine(ignore_eos=True) as engine, AsyncExitStack() as others:
        for _ in range(3):
            await begun(others, engine)
        async with AsyncExitStack() as one:
            await begun(one, engine)
            assert await server.lrm.running() == 4
        await server.lrm.seconds_until(3)
        assert await server.lrm.running() == 3
