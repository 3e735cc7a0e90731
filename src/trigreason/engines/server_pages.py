"""Reads a server's pages about itself, beside its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import aiohttp
import msgspec

from trigreason.engines.bodies import page
from trigreason.engines.http import Timeouts
from trigreason.engines.proxies import proxy_for

Told = TypeVar("Told")


async def ask_page(
    url: str,
    path: str,
    told: type[Told],
    headers: Mapping[str, str] | None = None,
    seconds: float = Timeouts().connect,
) -> Told | None:
    """A page of the server at ``url`` (up to ``/v1``), decoded as ``told``; None if it has none.

    A page that fails, takes longer than ``seconds`` or cannot be decoded counts as none.
    """
    root = url.rstrip("/").removesuffix("/v1")
    proxy = proxy_for(root)
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, proxy=proxy) as session,
            session.get(f"{root}{path}") as response,
        ):
            if response.status != 200:
                return None
            return msgspec.json.decode(await page(response), type=told)
    except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
