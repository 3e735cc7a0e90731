"""What the server counts: prompt tokens, cached ones, and prompts beyond its context."""

from __future__ import annotations

import pytest

from tests.conformance.figures import Figures
from tests.conformance.served import RealServer, said
from trigreason.bundled import problems
from trigreason.engines.base import ContextTooLong, Prefix
from trigreason.reasoning import Message

LONG = (Message("user", problems()[0].question),)
THINKING = "".join(f"Step {number}: nothing happens.\n\n" for number in range(40))


async def test_the_prefix_cache_is_used(server: RealServer, figures: Figures) -> None:
    """The second request of a stretch finds what the first one left."""
    async with server.lrm.engine() as engine:
        first = await said(engine, Prefix(LONG, THINKING), 30)
        prefix = Prefix(LONG, THINKING + first.text)
        second = await said(engine, prefix, 5)
        ids = await server.lrm.tokenized(engine.prompt(prefix))
    usage = second.stream.usage
    assert usage.prompt_tokens == len(ids)
    assert usage.cached_tokens is not None
    assert len(ids) / 2 < usage.cached_tokens < len(ids)
    figures.add(
        "prompt tokens from the cache, second request",
        server.name,
        f"{usage.cached_tokens} of {len(ids)}",
    )


async def test_a_prompt_beyond_the_context(server: RealServer) -> None:
    async with server.srm.engine() as engine:
        long = Prefix((Message("user", "Alice and Bob swap. " * 400),))
        with pytest.raises(ContextTooLong) as caught:
            await said(engine, long, 5)
        assert "\n" not in str(caught.value)
        assert (await said(engine, Prefix(LONG), 2)).text, "the engine is still good"


async def test_more_tokens_asked_for_than_fit(server: RealServer) -> None:
    """The context's end, not an error, limits what is asked for: default budgets are larger."""
    async with server.srm.engine(ignore_eos=True) as engine:
        told = await said(engine, Prefix(LONG, THINKING), 8192 + 2048)
        room = 1024 - len(await server.srm.tokenized(engine.prompt(Prefix(LONG, THINKING))))
    assert room - 2 <= len(told.tokens) <= room
    assert told.stream.finish == "length"


async def test_a_conversation_is_counted_as_it_is_read(server: RealServer) -> None:
    async with server.lrm.engine() as engine:
        counted = await engine.count_tokens(LONG)
        told = await said(engine, Prefix(LONG), 2)
    assert counted == told.stream.usage.prompt_tokens
