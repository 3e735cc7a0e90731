"""Detects which kind of server is at a URL, and reads its list of models.

The kind follows from the address of a known provider; else from ``owned_by`` in the server's list
of models; else from a page that only servers of its kind have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from trigreason.engines.base import EngineRefused
from trigreason.engines.bodies import error_text, page
from trigreason.engines.http import unreachable
from trigreason.engines.proxies import proxy_for
from trigreason.engines.refusals import refusal


class Provider(NamedTuple):
    """A hosted API: its dialect, and the path that its URL ends in."""

    dialect: str
    path: str = "/v1"


PROVIDERS = {
    "api.together.xyz": Provider("together"),
    "api.together.ai": Provider("together"),
    "api.fireworks.ai": Provider("fireworks", "/inference/v1"),
    "api.deepseek.com": Provider("deepseek"),
    "api.mistral.ai": Provider("mistral"),
    "api.groq.com": Provider("groq", "/openai/v1"),
    "openrouter.ai": Provider("generic", "/api/v1"),
}

OF_NO_USE = ("api.openai.com", "api.anthropic.com")
"""Their models neither return logprobs when they reason nor continue a text that was begun."""

OWNERS = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llama.cpp", "library": "ollama"}
"""The dialect for each value of ``owned_by`` in a list of models."""

PAGES = {
    "/props": ("llama.cpp", "default_generation_settings"),
    "/version": ("vllm", "version"),
    "/get_model_info": ("sglang", "model_path"),
    "/api/version": ("ollama", "version"),
}
"""Pages that only one kind of server has, with its dialect and a field of the page."""


class Listed(msgspec.Struct):
    """A model that a server lists; ``max_model_len`` is its context in tokens (vLLM, SGLang)."""

    id: str
    owned_by: str | None = None
    max_model_len: int | None = None


class Listing(msgspec.Struct):
    """The answer of ``GET /v1/models``."""

    data: list[Listed]


def provider_at(url: str) -> Provider | None:
    """The provider at this address, if it is a known one.

    Raises:
        EngineRefused: the provider's models can play neither role.
    """
    host = urlsplit(url).hostname or ""
    if host in OF_NO_USE:
        raise EngineRefused(
            "its reasoning models return no token probabilities and do not continue a text that "
            "was begun, so they can be neither the SRM nor the LRM",
            url,
            "Use a model with open weights, on a server of your own or at another provider.",
        )
    return PROVIDERS.get(host)


class Visit:
    """Questions to the server at ``url`` (up to ``/v1``), each of ``seconds`` at most."""

    def __init__(self, url: str, headers: Mapping[str, str], seconds: float) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=seconds), proxy=proxy_for(url)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def listed(self) -> list[Listed]:
        """The models that are served.

        Raises:
            EngineUnreachable: the server does not answer.
            EngineRefused: the key is wrong, or this is not a server of models.
            EngineFailed: the server is in trouble, or not ready yet.
        """
        try:
            async with self._session.get(f"{self.url}/models") as response:
                if (status := response.status) in (401, 403, 429) or status >= 500:
                    raise refusal(status, await error_text(response), self.url)
                body = await page(response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise unreachable(error, self.url) from error
        try:
            return msgspec.json.decode(body, type=Listing).data
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise EngineRefused(
                "what answers there is no OpenAI-compatible server",
                self.url,
                "Does the URL end in /v1?",
            ) from error

    async def dialect(self, listed: Sequence[Listed]) -> str:
        """The dialect of the server that lists these models; ``generic`` if unknown."""
        for model in listed:
            if model.owned_by in OWNERS:
                return OWNERS[model.owned_by]
        dialects = await asyncio.gather(*map(self._dialect_of_page, PAGES))
        return next(filter(None, dialects), "generic")

    async def _dialect_of_page(self, path: str) -> str | None:
        dialect, field = PAGES[path]
        try:
            async with self._session.get(self.url.removesuffix("/v1") + path) as response:
                content = msgspec.json.decode(await page(response))
        except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError, ValueError):
            return None
        return dialect if isinstance(content, dict) and field in content else None
