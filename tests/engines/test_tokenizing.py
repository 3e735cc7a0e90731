"""A conversation's tokens, counted by the server that would read it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from tests.scripted_server import listening
from trigreason.engines.base import EngineFailed, EngineRefused, EngineUnreachable, PromptRefused
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import (
    FIREWORKS,
    GENERIC,
    LLAMA_CPP,
    SGLANG,
    SGLANG_GENERATE,
    TOGETHER,
    VLLM,
    Dialect,
)
from trigreason.reasoning import Message

QUESTION = (Message("user", "Why?"),)
PROMPT = "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\n"
VLLM_ANSWER = {"count": 3, "max_model_len": 4096, "tokens": [5, 6, 7], "token_strs": None}


def app(answer: Any, status: int, asked: list[dict[str, Any]]) -> web.Application:
    async def tokenize(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response(answer, status=status)

    made = web.Application()
    made.router.add_post("/tokenize", tokenize)
    return made


async def count(
    dialect: Dialect, answer: Any, status: int = 200
) -> tuple[int | None, list[dict[str, Any]]]:
    asked: list[dict[str, Any]] = []
    async with listening(app(answer, status, asked)) as root:
        engine = CompletionsEngine(f"{root}/v1", "m", dialect=dialect)
        try:
            return await engine.count_tokens(QUESTION), asked
        finally:
            await engine.close()


@pytest.mark.parametrize(
    ("dialect", "answer", "body"),
    [
        (VLLM, VLLM_ANSWER, {"model": "m", "prompt": PROMPT}),
        (SGLANG, VLLM_ANSWER, {"model": "m", "prompt": PROMPT}),
        (SGLANG_GENERATE, VLLM_ANSWER, {"model": "m", "prompt": PROMPT}),
        (
            LLAMA_CPP,
            {"tokens": [5, {"id": 6, "piece": "x"}, 7]},
            {"model": "m", "content": PROMPT, "add_special": True, "parse_special": True},
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Dialect) else "",
)
async def test_the_prompt_is_what_a_completion_would_send(
    dialect: Dialect, answer: Any, body: dict[str, Any]
) -> None:
    assert await count(dialect, answer) == (3, [body])


@pytest.mark.parametrize("dialect", [GENERIC, TOGETHER, FIREWORKS], ids=lambda each: each.name)
async def test_a_server_that_cannot_count_is_not_asked(dialect: Dialect) -> None:
    assert await count(dialect, VLLM_ANSWER) == (None, [])


@pytest.mark.parametrize("answer", [{}, {"tokens": 3}, [], "three"])
async def test_another_answer_is_no_count(answer: Any) -> None:
    with pytest.raises(EngineFailed, match="tokenize"):
        await count(VLLM, answer)


async def test_a_server_without_the_route_refuses() -> None:
    with pytest.raises(EngineRefused):
        await count(VLLM, {"detail": "Not Found"}, 404)


async def test_what_no_template_takes_is_refused_before_it_is_sent() -> None:
    engine = CompletionsEngine("http://127.0.0.1:9/v1", "m", dialect=VLLM)
    with pytest.raises(PromptRefused):
        await engine.count_tokens((*QUESTION, Message("assistant", "Because.")))
    with pytest.raises(EngineUnreachable):
        await engine.count_tokens(QUESTION)
    await engine.close()
