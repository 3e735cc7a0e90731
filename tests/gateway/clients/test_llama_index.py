"""LlamaIndex's ``OpenAILike``, which asks ``/v1/completions`` unless it is told of a chat model."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients import test_function_tools as weather
from tests.gateway.clients.conftest import OPENAI_2_MISSING
from tests.gateway.serving import QUESTION

pytestmark = pytest.mark.slow
openai_like: Any = pytest.importorskip("llama_index.llms.openai_like", reason=OPENAI_2_MISSING)


@pytest.fixture(params=[False, True], ids=["completions", "chat"])
def model(url: str, request: pytest.FixtureRequest) -> Any:
    return openai_like.OpenAILike(
        model="bundled",
        api_base=url,
        api_key="none",
        max_retries=0,
        is_chat_model=request.param,
        additional_kwargs={"seed": 1},
    )


def test_an_answer_in_one_piece(model: Any) -> None:
    assert "boxed" in model.complete(QUESTION).text


def test_a_stream_says_what_the_whole_says(model: Any) -> None:
    pieces = list(model.stream_complete(QUESTION))
    assert len(pieces) > 3
    assert pieces[-1].text == model.complete(QUESTION).text


async def test_the_asynchronous_methods(model: Any) -> None:
    whole = await model.acomplete(QUESTION)
    pieces = [piece async for piece in await model.astream_complete(QUESTION)]
    assert pieces[-1].text == whole.text


def test_a_conversation(model: Any) -> None:
    message = openai_like.base.ChatMessage(role="user", content=QUESTION)
    assert "boxed" in model.chat([message]).message.content


async def test_an_agent_calls_a_function_and_a_model_comes_back(tmp_path: Path) -> None:
    tools = import_module("llama_index.core.tools")
    prompts = import_module("llama_index.core.prompts")
    workflow = import_module("llama_index.core.agent.workflow")
    function = tools.FunctionTool.from_defaults(weather.weather)
    question = prompts.PromptTemplate(weather.QUESTION)
    async with weather.address(tmp_path) as (url, server):
        llm = openai_like.OpenAILike(
            model=weather.MODEL,
            api_base=url,
            api_key="none",
            max_retries=0,
            is_chat_model=True,
            is_function_calling_model=True,
        )
        told = await workflow.FunctionAgent(tools=[function], llm=llm).run(weather.QUESTION)
        assert str(told) == weather.ANSWER
        assert "<tool_call>weather:Paris</tool_call>" in server.prompts[-1]
        for by_schema in (False, True):
            llm.should_use_structured_outputs = by_schema
            assert await llm.astructured_predict(weather.Weather, question) == weather.IN_PARIS
