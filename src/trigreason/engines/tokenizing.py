"""The number of tokens in the answer of a server's ``/tokenize``."""

from __future__ import annotations

import aiohttp
import msgspec

from trigreason.engines.base import EngineFailed
from trigreason.engines.bodies import page


class Tokens(msgspec.Struct):
    """What vLLM, SGLang and llama.cpp have in common: the tokens, in one form or another."""

    tokens: list[msgspec.Raw]


async def counted(response: aiohttp.ClientResponse, where: str) -> int:
    """How many tokens a response lists.

    Raises:
        EngineFailed: it lists none, or does not arrive.
    """
    try:
        return len(msgspec.json.decode(await page(response), type=Tokens).tokens)
    except (msgspec.MsgspecError, UnicodeDecodeError, aiohttp.ClientError, TimeoutError) as error:
        raise EngineFailed(
            "its /tokenize answers with something else than tokens",
            where,
            "Is there something else at this address?",
        ) from error
