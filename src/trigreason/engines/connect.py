"""From what a user writes to an engine: a URL, or ``model@URL``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trigreason.engines.base import Capabilities, Engine, EngineRefused
from trigreason.engines.chat_apis import CHAT_APIS, ChatApi
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import (
    DIALECTS,
    LLAMA_CPP,
    SGLANG,
    SGLANG_GENERATE,
    VLLM,
    Dialect,
)
from trigreason.engines.http import Timeouts, key_headers
from trigreason.engines.identify import PROVIDERS, Visit, provider_at
from trigreason.engines.llama_cpp import ask_props, template_of
from trigreason.engines.ollama import OllamaEngine, ask_show
from trigreason.engines.sglang import SglangEngine, SglangGenerateEngine
from trigreason.engines.template_sources import told_template
from trigreason.engines.templates import ChatTemplate, guess
from trigreason.engines.vllm import ask_tokenizer

OLLAMA_CONTEXT_TOKENS = 16_384
"""Room for the default thinking budget, an answer and a long question; Ollama's own default may
be as little as 4,096."""


def is_url(place: str) -> bool:
    return "http://" in place or "https://" in place


def as_file(place: str) -> Path:
    return Path(place).expanduser()


async def connect(
    place: str,
    *,
    dialect: str | None = None,
    api_key: str | None = None,
    template: ChatTemplate | None = None,
    timeouts: Timeouts | None = None,
) -> Engine:
    """An engine for ``URL`` or ``model@URL``, with the URL up to ``/v1``.

    Without a ``dialect`` the kind of server is detected, from its address or by asking it; without
    a model's name it must serve exactly one. The template is the one given, else the server's own
    if it gives it (llama.cpp, and vLLM with a flag), else guessed from the model's name.

    Raises:
        EngineUnreachable: the server does not answer.
        EngineRefused: the model is not there, there are several to choose from, there is no such
            dialect, or the provider's models can play neither role.
        EngineFailed: the server is in trouble, or not ready yet.
    """
    name, url = _split(place)
    provider = provider_at(url)
    if dialect is not None and dialect not in MAKERS:
        raise EngineRefused(
            f"there is no dialect {dialect}", url, f"Choose one of {', '.join(MAKERS)}."
        )
    timeouts = timeouts or Timeouts()
    context_tokens: int | None = None
    if provider is not None or dialect in HOSTED:
        if not name:
            raise EngineRefused("a provider has many models", url, "Name one as MODEL@URL.")
        url = url if urlsplit(url).path else url + (provider.path if provider else "/v1")
        dialect = dialect or (provider.dialect if provider else None)
    else:
        url = url if url.endswith("/v1") else f"{url}/v1"
        async with Visit(url, key_headers(api_key), timeouts.connect) as visit:
            listed = await visit.listed()
            name = _chosen(name, [model.id for model in listed], url)
            dialect = dialect or await visit.dialect(listed)
        context_tokens = next(model.max_model_len for model in listed if model.id == name)
    assert dialect is not None, "the provider's, or what asking found"
    return await MAKERS[dialect](FoundModel(url, name, context_tokens, template, timeouts, api_key))


def _split(place: str) -> tuple[str, str]:
    name, at, url = place.rpartition("@http")
    return name, (f"http{url}" if at else place).rstrip("/")


def _chosen(name: str, served: list[str], url: str) -> str:
    if name and name not in served:
        there = f"It serves {', '.join(served) or 'nothing'}."
        raise EngineRefused(f"the model {name} is not served there", url, there)
    if not name and len(served) != 1:
        there = f"Name one as MODEL@URL: {', '.join(served) or 'it lists none'}."
        raise EngineRefused(f"the server has {len(served)} models to choose from", url, there)
    return name or served[0]


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that was found, with the user's settings; ``template`` is None unless given."""

    url: str
    model: str
    context_tokens: int | None
    template: ChatTemplate | None
    timeouts: Timeouts
    api_key: str | None = field(repr=False)

    def engine(self, kind: Callable[..., Engine], able: Capabilities, **how: Any) -> Engine:
        """An engine of this kind for this place, with the capabilities ``able`` and its context."""
        return kind(
            self.url,
            self.model,
            capabilities=replace(able, context_tokens=self.context_tokens),
            api_key=self.api_key,
            timeouts=self.timeouts,
            **how,
        )


Maker = Callable[[FoundModel], Awaitable[Engine]]


def completing(dialect: Dialect, kind: type[CompletionsEngine] = CompletionsEngine) -> Maker:
    """Makes engines for raw completions, whose prompt is rendered here."""

    async def make(place: FoundModel) -> Engine:
        template = place.template or guess(place.model)
        return place.engine(kind, dialect.capabilities, dialect=dialect, template=template)

    return make


async def vllm(place: FoundModel) -> Engine:
    if place.template is None:
        config = await ask_tokenizer(place.url, key_headers(place.api_key), place.timeouts.connect)
        place = replace(place, template=told_template(config, place.url))
    return await completing(VLLM)(place)


async def llama_cpp(place: FoundModel) -> Engine:
    props = await ask_props(place.url, key_headers(place.api_key), place.timeouts.connect)
    if props is not None:
        context = props.default_generation_settings.n_ctx
        template = place.template or template_of(props, place.url)
        place = replace(place, context_tokens=context, template=template)
    return await completing(LLAMA_CPP)(place)


async def _sglang_generate(place: FoundModel) -> Engine:
    root = replace(place, url=place.url.removesuffix("/v1"))
    return await completing(SGLANG_GENERATE, SglangGenerateEngine)(root)


async def ollama(place: FoundModel) -> Engine:
    """An engine with the context that the model's file sets, else as much as a run needs."""
    shown = await ask_show(place.url, place.model, key_headers(place.api_key))
    if shown is not None:
        enough = min(shown.trained_tokens or OLLAMA_CONTEXT_TOKENS, OLLAMA_CONTEXT_TOKENS)
        place = replace(place, context_tokens=shown.num_ctx or enough)
    template = place.template or guess(place.model, shown.thinks if shown else None)
    return place.engine(OllamaEngine, OllamaEngine.dialect.capabilities, template=template)


def _chatting(api: ChatApi) -> Maker:
    """Makes engines that continue an assistant message; the server renders the prompt."""

    async def make(place: FoundModel) -> Engine:
        if place.template is not None:
            raise EngineRefused(
                f"the server renders the prompt itself with the dialect {api.name}",
                place.url,
                "Leave the template out, or speak to it with another dialect.",
            )
        return place.engine(ChatPrefixEngine, api.capabilities, api=api)

    return make


MAKERS: dict[str, Maker] = {
    **{dialect.name: completing(dialect) for dialect in DIALECTS},
    **{name: _chatting(api) for name, api in CHAT_APIS.items()},
    "vllm": vllm,
    "sglang": completing(SGLANG, SglangEngine),
    "sglang-generate": _sglang_generate,
    "llama.cpp": llama_cpp,
    "ollama": ollama,
}
"""Every dialect by its name, and what makes its engine."""

HOSTED = {provider.dialect for provider in PROVIDERS.values()} - {"generic"}
"""The dialects of providers. Their lists of models are incomplete, so none is requested."""
