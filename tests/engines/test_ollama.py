"""Ollama's native API, by a double. What all engines have in common is in test_chat_prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.doubles.ollama import OllamaDouble
from tests.doubles.turns import serving
from tests.scripted_server import listening
from trigreason.engines.base import (
    Capabilities,
    EngineFailed,
    EngineRefused,
    Prefix,
    Request,
    Sampling,
)
from trigreason.engines.ollama import LineSplitter, ModelPage, OllamaEngine, ask_show
from trigreason.engines.templates import ChatTemplate
from trigreason.reasoning import Message

QUESTION = (Message("user", "2 + 2?"),)


async def read(engine: OllamaEngine) -> str:
    async with engine.send(Request(Prefix(QUESTION), Sampling(), max_tokens=99)) as stream:
        return "".join([token.text async for arrival in stream for token in arrival])


@pytest.mark.parametrize("url", ["http://there:1", "http://there:1/", "http://there:1/v1"])
def test_every_option_is_spelled_out(url: str) -> None:
    engine = OllamaEngine(url, "m", template=ChatTemplate("Q: {{ messages[0].content }}"))
    sampling = Sampling(temperature=0.5, top_p=0.9, min_p=0.1, seed=3)
    assert engine.url == "http://there:1"
    assert engine.request_body(Request(Prefix(QUESTION, "So"), sampling, 9, None)) == {
        "model": "m",
        "prompt": "Q: 2 + 2?<think>\nSo",
        "raw": True,
        "think": False,
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {
            "num_predict": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 0,
            "min_p": 0.1,
            "seed": 3,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        },
    }


def test_what_is_sent_when_asked_for() -> None:
    capabilities = Capabilities(context_tokens=8192)
    engine = OllamaEngine("http://there", "m", capabilities=capabilities)
    body = engine.request_body(Request(Prefix(QUESTION), Sampling(top_k=5), 9, 50, one_step=True))
    assert body["logprobs"] is True
    assert body["top_logprobs"] == 20
    assert body["options"]["num_ctx"] == 8192
    assert body["options"]["top_k"] == 5
    assert body["options"]["stop"] == ["\n\n"]


async def test_text_that_is_sorted_all_the_same_is_put_together() -> None:
    class Sorting(OllamaDouble):
        def check(self, request: web.Request, body: dict[str, Any]) -> None:
            super().check(request, body)
            self.sorts = True

    turn = "So x.\n</think>\n\nIt is 4."
    async with serving(Sorting(turn=turn)) as double:
        engine = OllamaEngine(double.url, "m")
        assert await read(engine) == turn
        await engine.close()


async def test_a_model_that_is_not_there() -> None:
    async with serving(OllamaDouble(turn="So")) as double:
        engine = OllamaEngine(double.url, "other")
        with pytest.raises(EngineRefused, match="model 'other' not found"):
            await read(engine)
        await engine.close()


async def test_what_is_no_line_of_ollamas() -> None:
    async with serving(OllamaDouble(turn="So", error={"done": "never"})) as double:
        engine = OllamaEngine(double.url, "m")
        with pytest.raises(EngineFailed, match="Is this really Ollama"):
            await read(engine)
        await engine.close()


def test_lines_may_be_cut_anywhere() -> None:
    data = '{"é": 1}\n\n{"b": 2}\n{"c"'.encode()
    for size in range(1, len(data)):
        lines = LineSplitter()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert [line for piece in pieces for line in lines.feed(piece)] == [
            '{"é": 1}'.encode(),
            b'{"b": 2}',
        ]


@pytest.mark.parametrize(
    ("parameters", "num_ctx"),
    [
        ('stop    "<|im_end|>"\nnum_ctx                        8192', 8192),
        ("num_ctx 4096\ntop_k 20", 4096),
        ("temperature 0.6", None),
        ("", None),
    ],
)
def test_the_context_a_models_file_asks_for(parameters: str, num_ctx: int | None) -> None:
    assert ModelPage(parameters=parameters).num_ctx == num_ctx


@asynccontextmanager
async def showing(answer: web.Response) -> AsyncIterator[str]:
    async def show(request: web.Request) -> web.Response:
        assert await request.json() == {"model": "qwen3"}
        return answer

    app = web.Application()
    app.router.add_post("/api/show", show)
    async with listening(app) as url:
        yield url


async def test_ask_show() -> None:
    told = {
        "license": "...",
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
        "parameters": "num_ctx 8192",
        "capabilities": ["completion", "thinking"],
    }
    async with showing(web.json_response(told)) as url:
        shown = await ask_show(f"{url}/v1", "qwen3")
    assert shown is not None
    assert (shown.trained_tokens, shown.num_ctx) == (40960, 8192)
    assert ModelPage().trained_tokens is None


@pytest.mark.parametrize(
    "answer",
    [web.json_response({"error": "not found"}, status=404), web.Response(text="<html>")],
    ids=["no such model", "no Ollama"],
)
async def test_ask_show_of_what_has_nothing_to_show(answer: web.Response) -> None:
    async with showing(answer) as url:
        assert await ask_show(url, "qwen3") is None


async def test_ask_show_of_nobody() -> None:
    assert await ask_show("http://127.0.0.1:9", "qwen3") is None
