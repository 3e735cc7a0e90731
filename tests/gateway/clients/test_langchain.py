"""LangChain's ``ChatOpenAI``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING
from tests.gateway.serving import QUESTION

pytestmark = pytest.mark.slow
langchain: Any = pytest.importorskip("langchain_openai", reason=MISSING)


def chat(url: str, *, use_responses_api: bool) -> Any:
    return langchain.ChatOpenAI(
        model="bundled",
        base_url=url,
        api_key="none",
        max_retries=0,
        use_responses_api=use_responses_api,
        extra_body={"seed": 1},
    )


@pytest.fixture(params=[False, True], ids=["chat", "responses"])
def model(url: str, request: pytest.FixtureRequest) -> Any:
    return chat(url, use_responses_api=request.param)


def test_an_answer_in_one_piece(model: Any) -> None:
    answer = model.invoke(QUESTION)
    assert "boxed" in answer.text
    assert answer.usage_metadata["output_token_details"]["reasoning"] > 0


def test_a_stream_says_what_the_whole_says(model: Any) -> None:
    chunks = list(model.stream(QUESTION))
    assert len(chunks) > 3
    assert "".join(chunk.text for chunk in chunks) == model.invoke(QUESTION).text


async def test_the_asynchronous_methods(url: str) -> None:
    # One test for both, because LangChain keeps its connections beyond an event loop
    for model in (chat(url, use_responses_api=each) for each in (False, True)):
        whole = await model.ainvoke(QUESTION)
        texts = [chunk.text async for chunk in model.astream(QUESTION)]
        assert "".join(texts) == whole.text
