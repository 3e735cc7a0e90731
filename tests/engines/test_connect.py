"""From a URL to an engine, and what is said where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.scripted_server import listening
from trigreason.bundled import SRM_FILE
from trigreason.engines.base import EngineError, EngineRefused, EngineUnreachable
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import as_file, connect, is_url
from trigreason.engines.embedded import load
from trigreason.engines.llama_cpp import LlamaCppEngine


@asynccontextmanager
async def serving(models: Sequence[str], key: str | None = None) -> AsyncIterator[str]:
    """A server that lists models and is no llama.cpp."""

    async def listing(request: web.Request) -> web.Response:
        if key and request.headers.get("Authorization") != f"Bearer {key}":
            return web.json_response({"error": "no"}, status=401)
        return web.json_response({"data": [{"id": model} for model in models]})

    app = web.Application()
    app.router.add_get("/v1/models", listing)
    async with listening(app) as root:
        yield root


async def refused(place: str, kind: type[EngineError] = EngineRefused) -> str:
    with pytest.raises(kind) as caught:
        await connect(place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_a_url_alone(ending: str) -> None:
    async with serving(["only"]) as root:
        engine = await connect(f"{root}{ending}")
    assert (engine.model, engine.url) == ("only", f"{root}/v1")
    assert type(engine) is CompletionsEngine


@pytest.mark.parametrize("name", ["b", "org/b", "org/b@main"])
async def test_model_at_url(name: str) -> None:
    async with serving(["a", name]) as root:
        assert (await connect(f"{name}@{root}")).model == name


async def test_an_unknown_model() -> None:
    async with serving(["a", "b"]) as root:
        line = await refused(f"c@{root}")
    assert "the model c is not served there" in line
    assert "It serves a, b." in line


@pytest.mark.parametrize(
    ("models", "told"), [(["a", "b"], "MODEL@URL: a, b"), ([], "it lists none")]
)
async def test_no_single_model(models: list[str], told: str) -> None:
    async with serving(models) as root:
        assert told in await refused(root)


async def test_an_html_page() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Hello</html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{any:.*}", page)
    async with listening(app) as root:
        assert "no OpenAI-compatible server" in await refused(root)


async def test_a_server_without_models() -> None:
    async with listening(web.Application()) as root:
        assert "no OpenAI-compatible server" in await refused(root)


async def test_a_key() -> None:
    async with serving(["a"], key="secret") as root:
        assert "Check the API key" in await refused(root)
        assert (await connect(root, api_key="secret")).model == "a"


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:9", "m@http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"]
)
async def test_nobody_there(place: str) -> None:
    assert "Is the server running" in await refused(place, EngineUnreachable)


async def test_llama_cpp_is_recognised() -> None:
    embedded = await load(SRM_FILE, threads=1, context_tokens=256)
    engine = await connect(embedded.url.removesuffix("/v1"))
    assert type(engine) is LlamaCppEngine
    assert engine.template.source == embedded.template.source
    assert engine.capabilities.context_tokens == 256
    await engine.close()
    await embedded.close()


async def test_llama_cpp_behind_a_key_is_recognised() -> None:
    async def listing(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "a"}]})

    async def props(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return web.json_response({"error": "no"}, status=401)
        settings = {"default_generation_settings": {"n_ctx": 256}, "chat_template": "told"}
        return web.json_response(settings)

    app = web.Application()
    app.router.add_get("/v1/models", listing)
    app.router.add_get("/props", props)
    async with listening(app) as root:
        engine = await connect(root, api_key="secret")
    assert type(engine) is LlamaCppEngine
    assert engine.template.source == "told"


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("http://x", True),
        ("https://x/v1", True),
        ("m@http://x", True),
        ("model.gguf", False),
        ("~/m@home.gguf", False),
    ],
)
def test_url_or_file(place: str, url: bool) -> None:
    assert is_url(place) is url


def test_a_file_in_the_home_folder() -> None:
    assert as_file("~/m.gguf").is_absolute()
