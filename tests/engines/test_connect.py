"""From a URL to an engine, and what is said where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.scripted_server import listening
from trigreason.engines.base import EngineError, EngineFailed, EngineRefused, EngineUnreachable
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import MAKERS, as_file, connect, is_url
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.engines.llama_cpp import GenerationSettings, Props, described
from trigreason.engines.sglang import SglangGenerateEngine
from trigreason.engines.templates import DEEPSEEK_R1

Handler = Callable[[web.Request], Awaitable[web.Response]]
Json = dict[str, Any]


@asynccontextmanager
async def serving(
    models: Sequence[str],
    key: str | None = None,
    pages: dict[str, Json] | None = None,
    **card: Any,
) -> AsyncIterator[str]:
    """A server that lists models, each with what a ``card`` says of it, and has some pages."""

    def page(told: Json) -> Handler:
        async def show(request: web.Request) -> web.Response:
            if key and request.headers.get("Authorization") != f"Bearer {key}":
                return web.json_response({"error": "no"}, status=401)
            return web.json_response(told)

        return show

    listing: Json = {"object": "list", "data": [{"id": model, **card} for model in models]}
    app = web.Application()
    for path, told in {"/v1/models": listing, **(pages or {})}.items():
        app.router.add_route("*", path, page(told))
    async with listening(app) as root:
        yield root


async def completing(place: str, **how: Any) -> CompletionsEngine:
    engine = await connect(place, **how)
    assert isinstance(engine, CompletionsEngine)
    return engine


async def refused(place: str, kind: type[EngineError] = EngineRefused, **how: Any) -> str:
    with pytest.raises(kind) as caught:
        await connect(place, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_a_url_alone(ending: str) -> None:
    async with serving(["only"]) as root:
        engine = await completing(f"{root}{ending}")
    assert (engine.model, engine.url) == ("only", f"{root}/v1")
    assert type(engine) is CompletionsEngine


@pytest.mark.parametrize("name", ["b", "org/b", "org/b@main"])
async def test_model_at_url(name: str) -> None:
    async with serving(["a", name]) as root:
        assert (await completing(f"{name}@{root}")).model == name


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
        assert (await completing(root, api_key="secret")).model == "a"


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:9", "m@http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"]
)
async def test_nobody_there(place: str) -> None:
    assert "Is the server running" in await refused(place, EngineUnreachable)


async def test_a_server_without_tls() -> None:
    async with serving(["a"]) as root:
        place = root.replace("http://", "https://")
        assert "Write http:// instead" in await refused(place, EngineUnreachable)


# What a user says

PROPS = {"default_generation_settings": {"n_ctx": 256}, "chat_template": "told"}
TOKENIZER = {"tokenizer_class": "T", "chat_template": "{{ eos_token }}", "eos_token": "</s>"}
"""What vLLM tells under ``--enable-tokenizer-info-endpoint``, in short."""


@pytest.mark.parametrize("name", MAKERS)
async def test_every_dialect_can_be_asked_for(name: str) -> None:
    async with serving(["org/m"], max_model_len=512) as root:
        engine = await connect(f"org/m@{root}", dialect=name)
    assert isinstance(engine, HttpEngine)
    assert engine.model == "org/m"
    assert engine.url.startswith(root)
    assert engine.dialect_name == name


async def test_sglang_on_its_own_route() -> None:
    async with serving(["org/m"], owned_by="sglang") as root:
        engine = await connect(root, dialect="sglang-generate")
    assert type(engine) is SglangGenerateEngine
    assert engine.url == root


async def test_an_unknown_dialect() -> None:
    line = await refused("http://127.0.0.1:9", dialect="vlm")
    assert "there is no dialect vlm" in line
    assert "Choose one of vllm, sglang" in line


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"/props": PROPS | {"chat_template": "{{"}},
        {"/version": {"version": "1"}, "/tokenizer_info": TOKENIZER | {"chat_template": "{{"}},
    ],
)
async def test_a_template_that_is_given(pages: dict[str, Json]) -> None:
    async with serving(["org/m"], pages=pages) as root:
        assert (await completing(root, template=DEEPSEEK_R1)).template is DEEPSEEK_R1


async def test_a_template_is_guessed_from_the_name() -> None:
    async with serving(["deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"], owned_by="vllm") as root:
        template = (await completing(root)).template
    assert template.source == DEEPSEEK_R1.source
    assert template.guessed


async def test_vllm_is_asked_for_its_template() -> None:
    pages = {"/tokenizer_info": TOKENIZER}
    async with serving(["org/m"], key="secret", owned_by="vllm", pages=pages) as root:
        template = (await completing(root, api_key="secret")).template
    assert (template.source, template.eos_token) == ("{{ eos_token }}", "</s>")
    assert (template.origin, template.guessed) == (f"told by {root}/v1", False)


@pytest.mark.parametrize(
    ("owner", "pages"),
    [
        ("vllm", {}),
        ("vllm", {"/tokenizer_info": {"tokenizer_class": "T"}}),
        ("vllm", {"/tokenizer_info": ["no object"]}),
        ("sglang", {"/tokenizer_info": TOKENIZER}),
        ("llamacpp", {"/props": PROPS | {"chat_template": ""}}),
    ],
)
async def test_what_no_server_tells_is_guessed(owner: str, pages: dict[str, Any]) -> None:
    async with serving(["Qwen3-0.6B"], owned_by=owner, pages=pages) as root:
        template = (await completing(root)).template
    assert template.guessed
    assert "Qwen3-0.6B" in template.origin


def test_a_gguf_file_without_a_template() -> None:
    template, _ = described(Props(GenerationSettings(256)), Path("models/Qwen3-0.6B.gguf"))
    assert template.guessed
    assert template.origin == "built-in chatml, guessed from the name Qwen3-0.6B"


@pytest.mark.parametrize(
    ("owner", "page"),
    [
        ("vllm", {"/tokenizer_info": TOKENIZER | {"chat_template": "{% if"}}),
        ("llamacpp", {"/props": PROPS | {"chat_template": "{% if"}}),
    ],
)
async def test_a_template_that_cannot_be_read(owner: str, page: dict[str, Json]) -> None:
    async with serving(["m"], owned_by=owner, pages=page) as root:
        line = await refused(root)
    assert "the chat template cannot be read" in line
    assert "Serve the model with another template" in line


async def test_a_template_that_nobody_would_use() -> None:
    line = await refused("m@https://api.mistral.ai", template=DEEPSEEK_R1)
    assert "Leave the template out" in line


async def test_timeouts() -> None:
    timeouts = Timeouts(connect=1, read=2)
    async with serving(["m"]) as root:
        assert (await completing(root, timeouts=timeouts)).timeouts is timeouts


async def test_a_server_that_is_not_ready() -> None:
    async def loading(_: web.Request) -> web.Response:
        error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
        return web.json_response({"error": error}, status=503)

    app = web.Application()
    app.router.add_get("/v1/models", loading)
    async with listening(app) as root:
        assert "Loading model" in await refused(root, EngineFailed)


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
