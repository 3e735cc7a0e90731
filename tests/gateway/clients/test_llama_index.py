"""LlamaIndex's ``OpenAILike``, which asks ``/v1/completions`` unless it is told of a chat model."""

from __future__ import annotations

from typing import Any

import pytest

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
