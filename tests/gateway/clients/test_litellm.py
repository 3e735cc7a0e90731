"""LiteLLM as a client."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING, TURN

pytestmark = pytest.mark.slow
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import asks the internet
litellm: Any = pytest.importorskip("litellm", reason=MISSING)


def asked(url: str, **fields: Any) -> dict[str, Any]:
    own = {"model": "openai/bundled", "api_base": url, "api_key": "none", "num_retries": 0}
    return own | {"messages": TURN, "seed": 1} | fields


def test_an_answer_in_one_piece(url: str) -> None:
    answer = litellm.completion(**asked(url))
    message = answer.choices[0].message
    assert "boxed" in message.content
    assert message.reasoning_content != ""
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0


def test_a_stream_says_what_the_whole_says(url: str) -> None:
    message = litellm.completion(**asked(url)).choices[0].message
    usage = {"include_usage": True}
    chunks = list(litellm.completion(**asked(url, stream=True, stream_options=usage)))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == message.content
    thinking = (getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert "".join(thinking) == message.reasoning_content
    assert chunks[-1].usage.completion_tokens > 0


async def test_the_asynchronous_functions(url: str) -> None:
    whole = await litellm.acompletion(**asked(url))
    stream = await litellm.acompletion(**asked(url, stream=True))
    texts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(texts) == whole.choices[0].message.content


def test_a_model_that_does_not_exist(url: str) -> None:
    with pytest.raises(litellm.NotFoundError):
        litellm.completion(**asked(url, model="openai/unknown"))


def test_a_response(url: str) -> None:
    [turn] = TURN
    fields = asked(url, input=turn["content"])
    del fields["messages"], fields["seed"]
    response = litellm.responses(**fields, extra_body={"seed": 1})
    assert [item.type for item in response.output] == ["reasoning", "message"]
