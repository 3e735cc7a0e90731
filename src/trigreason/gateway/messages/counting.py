"""How long a conversation is, without a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trigreason.engines.base import EngineError
from trigreason.pairs import Pair
from trigreason.reasoning import Message, Prompt, Tool, prompt_tokens

COUNT_SECONDS = 5.0
"""How long the LRM's server may take to count; then the count is an estimate."""


async def prompt_length(pair: Pair, messages: Sequence[Message], tools: Sequence[Tool]) -> Prompt:
    """The tokens that the LRM reads, or an estimate if its server cannot count them at the moment.

    A conversation that its template refuses is estimated too: clients count what they may change.
    """
    try:
        async with asyncio.timeout(COUNT_SECONDS):
            counted = await pair.lrm.count_tokens(messages, tools)
    except (EngineError, TimeoutError):
        counted = None
    if counted is None:
        return Prompt(prompt_tokens(messages, tools), True)
    return Prompt(counted, False)
