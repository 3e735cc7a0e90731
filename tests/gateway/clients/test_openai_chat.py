"""OpenAI's Python package, asking for chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING, TURN

pytestmark = pytest.mark.slow
openai: Any = pytest.importorskip("openai", reason=MISSING)


@pytest.fixture
def client(url: str) -> Any:
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def ask(client: Any, **fields: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "bundled", "messages": TURN, "seed": 1} | fields
    )


def test_an_answer_in_one_piece(client: Any) -> None:
    answer = ask(client)
    [choice] = answer.choices
    assert choice.finish_reason == "stop"
    assert "boxed" in choice.message.content
    assert choice.message.reasoning_content != ""
    usage = answer.usage
    assert usage.prompt_tokens > 0
    assert 0 < usage.completion_tokens_details.reasoning_tokens < usage.completion_tokens
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    own = answer.model_extra["trigreason"]
    assert own["models"]["lrm"]["requests"] == own["lrm_requests"] > 0
    assert own["trace_id"] == answer.id


def test_an_answer_fits_openais_types(client: Any) -> None:
    told = ask(client).model_dump()
    openai.types.chat.ChatCompletion.model_validate(told, strict=True)


def test_the_same_seed_gives_the_same_answer(client: Any) -> None:
    first, second = (ask(client, temperature=1.0).choices[0].message for _ in range(2))
    assert first == second


def test_a_stream_says_what_the_whole_says(client: Any) -> None:
    whole = ask(client)
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    message = whole.choices[0].message
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == message.content
    told = (delta.model_extra.get("reasoning_content", "") for delta in deltas)
    assert "".join(told) == message.reasoning_content
    *others, last = chunks
    assert last.choices == []
    assert last.usage.completion_tokens == whole.usage.completion_tokens
    assert last.model_extra["trigreason"]["models"].keys() == {"srm", "lrm"}
    assert all(chunk.usage is None for chunk in others)
    assert others[-1].choices[0].finish_reason == "stop"


def test_a_stream_without_usage_ends_with_its_account(client: Any) -> None:
    last = list(ask(client, stream=True))[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.usage is None
    assert last.model_extra["trigreason"]["pair"] == "bundled"


def test_the_streaming_helper_gathers_the_whole(client: Any) -> None:
    with client.chat.completions.stream(model="bundled", messages=TURN, seed=1) as stream:
        stream.until_done()
        gathered = stream.get_final_completion()
    assert gathered.choices[0].message.content == ask(client).choices[0].message.content


def test_two_choices_have_two_seeds(client: Any) -> None:
    answer = ask(client, n=2, temperature=1.0)
    assert [choice.index for choice in answer.choices] == [0, 1]
    seeds = [run["seed"] for run in answer.model_extra["trigreason"]["runs"]]
    assert seeds == [1, 2]


def test_two_choices_stream_side_by_side(client: Any) -> None:
    whole = ask(client, n=2)
    texts = ["", ""]
    for chunk in ask(client, n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]


def test_a_stop_text_ends_the_answer_before_it(client: Any) -> None:
    whole = ask(client).choices[0].message.content
    cut = ask(client, stop=["boxed"]).choices[0]
    assert cut.message.content == whole.split("boxed")[0]
    assert cut.finish_reason == "stop"


def test_a_limit_of_tokens_is_kept(client: Any) -> None:
    answer = ask(client, max_completion_tokens=20)
    assert answer.usage.completion_tokens <= 20
    assert answer.choices[0].finish_reason == "length"


def test_options_of_ours_go_into_extra_body(client: Any) -> None:
    told = ask(client, extra_body={"trigreason": {"method": "lrm", "events": True}})
    own = told.model_extra["trigreason"]
    assert own["method"] == "lrm"
    assert {event["type"] for event in own["events"]} >= {"step_accepted"}


def test_headers_tell_before_the_body_is_read(client: Any) -> None:
    raw = client.chat.completions.with_raw_response.create(model="bundled", messages=TURN)
    assert raw.headers["x-trigreason-id"] == raw.parse().id
    assert "srm;dur=" in raw.headers["server-timing"]


def test_models_are_listed_and_found(client: Any) -> None:
    names = [model.id for model in client.models.list()]
    assert {"bundled", "bundled:specreason"} <= set(names)
    assert client.models.retrieve("bundled:rho=0.5").id == "bundled:rho=0.5"


async def test_the_asynchronous_client(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        whole = await ask(client)
        stream = await ask(client, stream=True)
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(texts) == whole.choices[0].message.content
