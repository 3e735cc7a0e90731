"""What only a server's own pages tell: which server it is, and how busy it is at this moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from trigreason.engines.bodies import page
from trigreason.engines.proxies import proxy_for

_UNNUMBERED_BUILD = "b0-"
"""llama.cpp built as a part of another program."""


class ServerKind(StrEnum):
    VLLM = "vLLM"
    SGLANG = "SGLang"
    LLAMA_CPP = "llama.cpp"
    OLLAMA = "Ollama"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Which server answers, as far as it says so.

    ``models`` are those it lists; None where it has no list, or shows it to nobody.
    ``context_tokens`` is what it has room for, ``trained_tokens`` what the model was trained on.
    """

    kind: ServerKind = ServerKind.UNKNOWN
    version: str | None = None
    models: tuple[str, ...] | None = None
    context_tokens: int | None = None
    trained_tokens: int | None = None

    def __str__(self) -> str:
        if self.kind is ServerKind.UNKNOWN:
            return "a server that does not say which"
        return f"{self.kind} {self.version}" if self.version else str(self.kind)


@dataclass(frozen=True, slots=True)
class Activity:
    """A server's own word on what it is doing.

    ``tokens`` grows by one with each token that it generates, from any beginning; None where it
    does not count them. ``page`` is where it says so.
    """

    running: int
    tokens: int | None
    page: str


class ServerPages:
    """Reads the pages of the server at ``root`` (without ``/v1``); a page that fails is not there.

    ``seconds`` is the longest that one page may take.
    """

    def __init__(self, root: str, headers: Mapping[str, str], seconds: float) -> None:
        self._root = root
        self._session = aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=seconds), proxy=proxy_for(root)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def facts(self, model: str | None = None) -> ServerFacts:
        """Who answers, and the context of ``model``."""
        pages = "/props", "/get_server_info", "/version", "/api/version", "/v1/models"
        props, sglang, vllm, ollama, listing = await asyncio.gather(*map(self._json, pages))
        kind, version = ServerKind.UNKNOWN, None
        if isinstance(props, dict) and "default_generation_settings" in props:
            kind, version = ServerKind.LLAMA_CPP, _text(props, "build_info")
            if version and version.startswith(_UNNUMBERED_BUILD):
                version = None
        else:
            answers = {
                ServerKind.SGLANG: sglang,
                ServerKind.VLLM: vllm,
                ServerKind.OLLAMA: ollama,
            }
            for each, answer in answers.items():
                if version := _text(answer, "version"):
                    kind = each
                    break
        entries = _entries(listing)
        own = next((each for each in entries or () if model in (None, each["id"])), None)
        if own is None and kind is ServerKind.LLAMA_CPP and entries:
            own = entries[0]  # a GGUF file goes under another name there
        return ServerFacts(
            kind,
            version,
            None if entries is None else tuple(each["id"] for each in entries),
            _room(props) or _count(own, "max_model_len"),
            _count(own.get("meta"), "n_ctx_train") if own else None,
        )

    async def activity(self, kind: ServerKind) -> Activity | None:
        """What the server is doing; None where it has no page that says so."""
        match kind:
            case ServerKind.VLLM:
                return vllm_activity(await self._text("/metrics"))
            case ServerKind.LLAMA_CPP:
                return slots_activity(await self._json("/slots")) or llama_cpp_activity(
                    await self._text("/metrics")
                )
            case ServerKind.SGLANG:
                return loads_activity(await self._json("/v1/loads")) or load_activity(
                    await self._json("/get_load")
                )
            case _:
                return None

    async def _json(self, path: str) -> Any:
        try:
            return msgspec.json.decode(await self._text(path))
        except msgspec.MsgspecError:
            return None

    async def _text(self, path: str) -> str:
        """A page that answers with 200, or nothing."""
        try:
            async with self._session.get(self._root + path) as response:
                if response.status != 200:
                    return ""
                return (await page(response)).decode(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError):
            return ""


def vllm_activity(metrics: str) -> Activity | None:
    running = _metric(metrics, "vllm:num_requests_running")
    waiting = _metric(metrics, "vllm:num_requests_waiting") or 0
    tokens = _metric(metrics, "vllm:generation_tokens_total")
    return None if running is None else Activity(running + waiting, tokens, "/metrics")


def llama_cpp_activity(metrics: str) -> Activity | None:
    """Its token counter moves only when a request ends, so it is no help here."""
    running = _metric(metrics, "llamacpp:requests_processing")
    return None if running is None else Activity(running, None, "/metrics")


def slots_activity(slots: Any) -> Activity | None:
    """A slot says how many tokens it holds, prompt and text, also after its request has ended."""
    if not isinstance(slots, list) or not all(isinstance(slot, dict) for slot in slots):
        return None
    held = [slot.get("n_prompt_tokens") for slot in slots]
    known = [count for count in held if isinstance(count, int)]
    running = sum(slot.get("is_processing") is True for slot in slots)
    return Activity(running, sum(known) if known else None, "/slots")


def loads_activity(page: Any) -> Activity | None:
    loads = page.get("loads") if isinstance(page, dict) else None
    if not isinstance(loads, list) or not all(isinstance(load, dict) for load in loads):
        return None
    counts = [load.get(f"num_{what}_reqs") for load in loads for what in ("running", "waiting")]
    running = [count for count in counts if isinstance(count, int)]
    return Activity(sum(running), None, "/v1/loads") if running else None


def load_activity(loads: Any) -> Activity | None:
    """As builds of SGLang tell it that have no ``/v1/loads``."""
    if not isinstance(loads, list) or not loads:
        return None
    counts = [load.get("num_reqs") if isinstance(load, dict) else None for load in loads]
    running = [count for count in counts if isinstance(count, int)]
    return Activity(sum(running), None, "/get_load") if running else None


def _metric(metrics: str, name: str) -> int | None:
    """The sum of a Prometheus metric over its labels."""
    values = re.findall(rf"^{re.escape(name)}(?:{{[^\n]*}})? ([0-9.e+]+)$", metrics, re.MULTILINE)
    return int(sum(map(float, values))) if values else None


def _text(body: Any, name: str) -> str | None:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None


def _entries(listing: Any) -> list[dict[str, Any]] | None:
    """The models of an OpenAI-style list; None where it is none."""
    models = listing.get("data") if isinstance(listing, dict) else None
    if not isinstance(models, list):
        return None
    return [each for each in models if isinstance(each, dict) and isinstance(each.get("id"), str)]


def _room(props: Any) -> int | None:
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    return _count(settings, "n_ctx")


def _count(body: Any, name: str) -> int | None:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, int) and value > 0 else None
