"""From what a user writes to an engine: a GGUF file, a URL, or ``model@URL``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import msgspec

from trigreason.engines.base import EngineRefused, EngineUnreachable
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import Timeouts, cause, key_headers
from trigreason.engines.llama_cpp import LlamaCppEngine, ask_props, described


class Listed(msgspec.Struct):
    id: str


class Listing(msgspec.Struct):
    """The answer of ``GET /v1/models``."""

    data: list[Listed]


def is_url(place: str) -> bool:
    return "http://" in place or "https://" in place


def as_file(place: str) -> Path:
    return Path(place).expanduser()


async def connect(place: str, *, api_key: str | None = None) -> CompletionsEngine:
    """An engine for ``URL`` or ``model@URL``, with the URL up to ``/v1``.

    Without a model's name the server must serve exactly one. llama.cpp is asked for its chat
    template; for other servers the prompt is ChatML.

    Raises:
        EngineUnreachable: nobody answers there.
        EngineRefused: the model is not there, or there are several to choose from.
    """
    name, url = _split(place)
    headers = key_headers(api_key)
    served = await _served(url, headers)
    if name and name not in served:
        there = f"It serves {', '.join(served) or 'nothing'}."
        raise EngineRefused(f"the model {name} is not served there", url, there)
    if not name and len(served) != 1:
        there = f"Name one as MODEL@URL: {', '.join(served) or 'it lists none'}."
        raise EngineRefused(f"the server has {len(served)} models to choose from", url, there)
    model = name or served[0]
    props = await ask_props(url, headers)
    if props is None:
        return CompletionsEngine(url, model, api_key=api_key)
    template, capabilities = described(props, url)
    return LlamaCppEngine(url, model, template=template, capabilities=capabilities, api_key=api_key)


def _split(place: str) -> tuple[str, str]:
    name, at, url = place.rpartition("@http")
    url = f"http{url}" if at else place
    url = url.rstrip("/")
    return name, url if url.endswith("/v1") else f"{url}/v1"


async def _served(url: str, headers: Mapping[str, str]) -> list[str]:
    timeout = aiohttp.ClientTimeout(total=Timeouts().connect)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{url}/models") as response,
        ):
            body = await response.read()
            if response.status in (401, 403):
                raise EngineRefused("the key was not accepted", url, "Check the API key.")
            listing = msgspec.json.decode(body, type=Listing)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise EngineUnreachable(
            f"no answer ({cause(error)})",
            url,
            "Is the server running, and is the address right?",
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EngineRefused(
            "what answers there is no OpenAI-compatible server", url, "Does the URL end in /v1?"
        ) from error
    return [model.id for model in listing.data]
