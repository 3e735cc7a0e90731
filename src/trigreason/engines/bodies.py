"""Bodies of other people's servers, read as far as they are of use.

A stream has bounds of its own, see ``http_stream``. Heads and inflated bodies are bounded by
aiohttp, which hands over a compressed body in pieces.
"""

from __future__ import annotations

import asyncio

import aiohttp

ERROR_BYTES = 2**16
"""Of an error's body; what it says stands at its beginning."""

ERROR_SECONDS = 5.0
"""For an error's body, which comes at once where it is one."""

PAGE_BYTES = 8 * 2**20
"""Of any other body: far more than the longest list of models."""


async def error_text(response: aiohttp.ClientResponse) -> str:
    """The beginning of an error's body, as far as it comes in ERROR_SECONDS."""
    text = bytearray()
    try:
        async with asyncio.timeout(ERROR_SECONDS):
            while len(text) < ERROR_BYTES:
                piece = await response.content.read(ERROR_BYTES - len(text))
                if not piece:
                    break
                text += piece
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass  # the status and what has come say enough
    return text.decode(errors="replace")


async def page(response: aiohttp.ClientResponse) -> bytes:
    """A whole body; how long it may take is up to the request's own timeout.

    Raises:
        aiohttp.ClientPayloadError: it is longer than PAGE_BYTES.
    """
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > PAGE_BYTES:
            raise aiohttp.ClientPayloadError(f"its page is longer than {PAGE_BYTES:,} bytes")
    return bytes(body)
