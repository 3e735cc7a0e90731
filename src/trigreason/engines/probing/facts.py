"""What a server's own pages show: which server it is, and how busy it is at this moment."""

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
"""The version of llama.cpp when it was built as a part of another program."""


class ServerKind(StrEnum):
    VLLM = "vLLM"
    SGLANG = "SGLang"
    LLAMA_CPP = "llama.cpp"
    OLLAMA = "Ollama"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Which server answers, as far as its pages show.

    ``models`` are those it lists; None if the list cannot be read. ``context_tokens`` is the
    context that it serves, ``trained_tokens`` the context that the model was trained on.
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
    """What a server reports of its work.

    ``tokens`` is a counter of generated tokens with any starting value; None if the server has
    none. ``page`` is where it reports them.
    """

    running: int
    tokens: int | None
    page: str


class ServerPages:
    """Reads the pages of the server at ``root`` (without ``/v1``); failing pages count as absent.

    ``seconds`` is the time limit for one page.
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
        """Which server answers, and the context of ``model``."""
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
            for candidate, answer in answers.items():
                if version := _text(answer, "version"):
                    kind = candidate
                    break
        entries = _entries(listing)
        entry = next((entry for entry in entries or () if model in (None, entry["id"])), None)
        if entry is None and kind is ServerKind.LLAMA_CPP and entries:
            entry = entries[0]  # llama.cpp lists a GGUF file under another name
        return ServerFacts(
            kind,
            version,
            None if entries is None else tuple(entry["id"] for entry in entries),
            _context(props) or _count(entry, "max_model_len"),
            _count(entry.get("meta"), "n_ctx_train") if entry else None,
        )

    async def activity(self, kind: ServerKind) -> Activity | None:
        """What the server is doing; None if it has no page that shows it."""
        match kind:
            case ServerKind.VLLM:
                return vllm_activity(await self._text("/metrics"))
            case ServerKind.LLAMA_CPP:
                return slots_activity(await self._json("/slots")) or _llama_cpp_activity(
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
        """The text of a page that answers with 200, otherwise an empty text."""
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


def _llama_cpp_activity(metrics: str) -> Activity | None:
    """llama.cpp's token counter only moves when a request ends, so it is not used."""
    running = _metric(metrics, "llamacpp:requests_processing")
    return None if running is None else Activity(running, None, "/metrics")


def slots_activity(slots: Any) -> Activity | None:
    """Each slot reports its tokens (prompt and text), even after its request has ended."""
    if not isinstance(slots, list) or not all(isinstance(slot, dict) for slot in slots):
        return None
    held = [slot.get("n_prompt_tokens") for slot in slots]
    counts = [count for count in held if isinstance(count, int)]
    running = sum(slot.get("is_processing") is True for slot in slots)
    return Activity(running, sum(counts) if counts else None, "/slots")


def loads_activity(page: Any) -> Activity | None:
    loads = page.get("loads") if isinstance(page, dict) else None
    if not isinstance(loads, list) or not all(isinstance(load, dict) for load in loads):
        return None
    counts = [load.get(f"num_{what}_reqs") for load in loads for what in ("running", "waiting")]
    running = [count for count in counts if isinstance(count, int)]
    return Activity(sum(running), None, "/v1/loads") if running else None


def load_activity(loads: Any) -> Activity | None:
    """The page of older builds of SGLang, which have no ``/v1/loads``."""
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
    """The models of an OpenAI-style list; None if it is not one."""
    models = listing.get("data") if isinstance(listing, dict) else None
    if not isinstance(models, list):
        return None
    entries = (entry for entry in models if isinstance(entry, dict))
    return [entry for entry in entries if isinstance(entry.get("id"), str)]


def _context(props: Any) -> int | None:
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    return _count(settings, "n_ctx")


def _count(body: Any, name: str) -> int | None:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, int) and value > 0 else None
