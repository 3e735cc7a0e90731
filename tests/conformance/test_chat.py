"""vLLM's chat route goes on with an assistant message exactly as raw text is gone on with.

It does so where the template leaves the message as it is and no reasoning parser is at work, as
with the bundled pair.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.conformance.served import GREEDY, RealServer
from trigreason.bundled import problems
from trigreason.engines.base import Engine, Finish, Prefix, Request, TokenStream
from trigreason.engines.chat_apis import VLLM_CHAT
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.reasoning import Message, Token

QUESTION = (Message("user", problems()[0].question),)
ANSWER = "So x.\n</think>\n\nThe answer"
EARLIER = (Message("user", "1?"), Message("assistant", "<think>\nOne.\n</think>\n\nOne."))


@asynccontextmanager
async def both(server: RealServer) -> AsyncIterator[tuple[Engine, Engine]]:
    """The same model by raw completions, and by chat."""
    async with server.srm.engine() as raw:
        chat = ChatPrefixEngine(raw.url, raw.model, api=VLLM_CHAT)
        try:
            yield raw, chat
        finally:
            await chat.close()


async def read(
    engine: Engine, prefix: Prefix, max_tokens: int, *, one_step: bool = False
) -> tuple[list[Token], TokenStream]:
    async with engine.send(
        Request(
            prefix,
            GREEDY,
            max_tokens=max_tokens,
            alternatives=0,
            needs_logprobs=True,
            one_step=one_step,
        )
    ) as stream:
        return [token async for arrival in stream for token in arrival], stream


async def test_it_goes_on_as_raw_text_does(on_vllm: RealServer) -> None:
    async with both(on_vllm) as (raw, chat):
        whole = "".join(token.text for token in (await read(raw, Prefix(QUESTION), 60))[0])
        blank = whole.index("\n\n")
        places = {0, 1, blank - 1, blank, blank + 1, blank + 2, *range(3, len(whole), 23)}
        turns = [whole[:place] for place in sorted(places)]
        for turn in [*turns, "So é", "So x. ", *(ANSWER[:at] for at in range(3, len(ANSWER), 3))]:
            prefix = Prefix((*EARLIER, *QUESTION), turn)
            by_text, told = await read(raw, prefix, 5)
            by_chat, chatted = await read(chat, prefix, 5)
            assert chatted.usage.prompt_tokens == told.usage.prompt_tokens, turn
            assert [token.text for token in by_chat] == [token.text for token in by_text], turn
            assert [token.logprob for token in by_chat] == pytest.approx(
                [token.logprob for token in by_text], abs=1e-3
            )


async def test_one_step_ends_with_its_blank_line(on_vllm: RealServer) -> None:
    async with both(on_vllm) as (raw, chat):
        tokens, stream = await read(chat, Prefix(QUESTION), 200, one_step=True)
        whole, _ = await read(raw, Prefix(QUESTION), len(tokens))
    text = "".join(token.text for token in tokens)
    assert "".join(token.text for token in whole) == text
    assert text.index("\n\n") == len(text) - 2
    assert stream.finish is Finish.STOP


async def test_more_than_fits_is_no_error(on_vllm: RealServer) -> None:
    async with (
        both(on_vllm) as (_, chat),
        chat.send(Request(Prefix(QUESTION), GREEDY, max_tokens=100_000)) as stream,
    ):
        assert await anext(aiter(stream))
