"""Reads response bodies of foreign servers, up to a bound.

Streams are bounded in ``http_stream``. aiohttp bounds headers and decompressed bodies, as it
hands over a compressed body in pieces.
"""

from __future__ import annotations

import asyncio

import aiohttp

ERROR_BYTES = 2**16
"""Bytes read of an error's body; its message is at the beginning."""

ERROR_SECONDS = 5.0
"""Time to read an error's body; a real one comes at once."""

PAGE_BYTES = 8 * 2**20
"""Bytes of any other body: far more than the longest list of models."""


async def error_text(response: aiohttp.ClientResponse) -> str:
    """The beginning of an error's body: what arrives within ERROR_SECONDS."""
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
    """A whole body; the request's own timeout limits how long it may take.

    Raises:
        aiohttp.ClientPayloadError: it is longer than PAGE_BYTES.
    """
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > PAGE_BYTES:
            raise aiohttp.ClientPayloadError(f"its page is longer than {PAGE_BYTES:,} bytes")
    return bytes(body)
