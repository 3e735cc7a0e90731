"""Which server answers at a URL, and the engine that it gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engines.test_connect import PROPS, Json, completing, refused, serving
from trigreason.bundled import SRM_FILE
from trigreason.engines.chat_apis import CHAT_APIS, ChatApi
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import MAKERS, FoundModel, connect
from trigreason.engines.dialects import DIALECTS, LLAMA_CPP, Dialect
from trigreason.engines.embedded import load
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.engines.identify import OWNERS, PAGES, PROVIDERS
from trigreason.engines.ollama import OllamaEngine
from trigreason.engines.sglang import SglangEngine
from trigreason.reasoning import THINK_TAGS, Tags


@pytest.mark.parametrize(
    ("owner", "dialect", "kind"),
    [
        ("vllm", "vllm", CompletionsEngine),
        ("sglang", "sglang", SglangEngine),
        ("somebody", "generic", CompletionsEngine),
        (None, "generic", CompletionsEngine),
    ],
)
async def test_by_what_signs_the_list(owner: str | None, dialect: str, kind: type) -> None:
    async with serving(["org/m"], owned_by=owner, max_model_len=2048) as root:
        engine = await completing(root)
    assert type(engine) is kind
    assert engine.dialect.name == dialect
    assert engine.capabilities == replace(engine.dialect.capabilities, context_tokens=2048)


def test_whatever_is_detected_can_be_made() -> None:
    detected = {*OWNERS.values(), *(dialect for dialect, _ in PAGES.values())}
    assert detected | {provider.dialect for provider in PROVIDERS.values()} <= set(MAKERS)


@pytest.mark.parametrize("dialect", [*DIALECTS, *CHAT_APIS.values()], ids=lambda each: each.name)
async def test_every_row_has_its_engine(dialect: Dialect | ChatApi) -> None:
    place = FoundModel("http://127.0.0.1:9/v1", "m", None, None, Timeouts(), None)
    engine = await MAKERS[dialect.name](place)
    spoken = engine.api if isinstance(engine, ChatPrefixEngine) else engine.dialect  # type: ignore[attr-defined]
    assert spoken is dialect
    await engine.close()


@pytest.mark.parametrize(
    ("page", "told", "dialect"),
    [
        ("/version", {"version": "0.32.0"}, "vllm"),
        ("/get_model_info", {"model_path": "org/m"}, "sglang"),
        ("/props", PROPS, "llama.cpp"),
        ("/props", {"error": "no such page"}, "generic"),
        ("/version", {"name": "a proxy"}, "generic"),
    ],
)
async def test_by_a_page_of_its_own(page: str, told: Json, dialect: str) -> None:
    async with serving(["org/m"], owned_by="a-gateway", pages={page: told}) as root:
        assert (await completing(root)).dialect.name == dialect


@pytest.mark.parametrize(
    ("card", "pages"),
    [({"owned_by": "library"}, {}), ({}, {"/api/version": {"version": "0.12.11"}})],
)
async def test_ollama_is_recognised(card: Json, pages: dict[str, Json]) -> None:
    async with serving(["qwen3:8b"], pages=pages, **card) as root:
        engine = await completing(root)
    assert type(engine) is OllamaEngine
    assert engine.url == root
    assert "qwen3:8b" in engine.template.origin


@pytest.mark.parametrize(
    ("model", "capabilities", "tags"),
    [
        ("gemma3:1b", ["completion"], None),
        ("new:1b", ["completion", "thinking"], THINK_TAGS),
        ("new-instruct:1b", ["completion", "thinking"], THINK_TAGS),
        ("deepseek-r1:1b", ["completion"], THINK_TAGS),  # imported, and the server does not know
        ("new:1b", [], THINK_TAGS),  # an old server
        ("new-instruct:1b", [], None),
    ],
)
async def test_ollama_says_whether_a_model_thinks(
    model: str, capabilities: list[str], tags: Tags | None
) -> None:
    shown = {"model_info": {}, "capabilities": capabilities}
    async with serving([model], owned_by="library", pages={"/api/show": shown}) as root:
        assert (await completing(root)).tags == tags


async def test_a_real_llama_cpp_is_recognised() -> None:
    embedded = await load(SRM_FILE, context_tokens=256)
    engine = await completing(embedded.url.removesuffix("/v1"))
    assert engine.dialect is LLAMA_CPP
    assert engine.template.source == embedded.template.source
    assert engine.capabilities.context_tokens == 256
    await engine.close()
    await embedded.close()


async def test_llama_cpp_behind_a_key_is_recognised() -> None:
    async with serving(["a"], key="secret", pages={"/props": PROPS}) as root:
        engine = await completing(root, api_key="secret")
    assert engine.dialect is LLAMA_CPP
    assert engine.template.source == "told"


@pytest.mark.parametrize(
    ("place", "kind", "url"),
    [
        ("org/m@https://api.together.xyz", CompletionsEngine, "https://api.together.xyz/v1"),
        ("org/m@https://api.together.xyz/v1/", CompletionsEngine, "https://api.together.xyz/v1"),
        (
            "org/m@https://api.fireworks.ai",
            CompletionsEngine,
            "https://api.fireworks.ai/inference/v1",
        ),
        ("org/m@https://openrouter.ai", CompletionsEngine, "https://openrouter.ai/api/v1"),
        ("m@https://api.deepseek.com", ChatPrefixEngine, "https://api.deepseek.com/beta"),
        ("m@https://api.deepseek.com/v1", ChatPrefixEngine, "https://api.deepseek.com/beta"),
        ("m@https://api.mistral.ai", ChatPrefixEngine, "https://api.mistral.ai/v1"),
        ("m@https://api.groq.com", ChatPrefixEngine, "https://api.groq.com/openai/v1"),
    ],
)
async def test_a_provider_is_known_by_its_address(place: str, kind: type, url: str) -> None:
    """Nobody is asked: what a provider lists is long, and not all that it serves."""
    engine = await connect(place, api_key="secret")
    assert type(engine) is kind
    assert isinstance(engine, HttpEngine)
    assert (engine.url, engine.model) == (url, place.partition("@")[0])
    assert "secret" not in repr(engine)


async def test_a_provider_wants_a_model_named() -> None:
    assert "MODEL@URL" in await refused("https://api.together.xyz/v1")


@pytest.mark.parametrize("host", ["api.openai.com", "api.anthropic.com"])
async def test_providers_of_no_use(host: str) -> None:
    line = await refused(f"best@https://{host}/v1", api_key="secret")
    assert "neither the SRM nor the LRM" in line
    assert "secret" not in line
