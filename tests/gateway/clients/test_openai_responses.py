"""OpenAI's Python package, asking for responses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.gateway.clients.conftest import MISSING
from tests.gateway.serving import QUESTION

pytestmark = pytest.mark.slow
openai: Any = pytest.importorskip("openai", reason=MISSING)


@pytest.fixture
def client(url: str) -> Any:
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def ask(client: Any, **fields: Any) -> Any:
    asked = {"model": "bundled", "input": QUESTION, "extra_body": {"seed": 1}}
    return client.responses.create(**asked | fields)


def test_a_response_in_one_piece(client: Any) -> None:
    response = ask(client)
    assert response.status == "completed"
    reasoning, message = response.output
    assert reasoning.type == "reasoning"
    assert reasoning.content[0].text != ""
    assert message.content[0].text == response.output_text
    assert "boxed" in response.output_text
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert 0 < usage.output_tokens_details.reasoning_tokens < usage.output_tokens
    assert response.model_extra["trigreason"]["trace_id"] == response.id


def test_a_response_and_its_events_fit_openais_types(client: Any) -> None:
    types = openai.types.responses
    types.Response.model_validate(ask(client).model_dump(), strict=True)
    one: Any = TypeAdapter(types.ResponseStreamEvent)
    for event in ask(client, stream=True):
        one.validate_python(event.model_dump(), strict=True)


def test_both_apis_give_the_same_text(client: Any) -> None:
    turn = [{"role": "user", "content": QUESTION}]
    told = client.chat.completions.create(model="bundled", messages=turn, seed=1)
    response = ask(client)
    assert response.output_text == told.choices[0].message.content
    assert response.output[0].content[0].text == told.choices[0].message.reasoning_content


def test_the_streaming_helper_gathers_the_whole(client: Any) -> None:
    asked = {"model": "bundled", "input": QUESTION, "extra_body": {"seed": 1}}
    with client.responses.stream(**asked) as stream:
        events = list(stream)
        gathered = stream.get_final_response()
    whole = ask(client)
    assert gathered.output_text == whole.output_text
    for kind, text in (
        ("response.output_text.delta", whole.output_text),
        ("response.reasoning_text.delta", whole.output[0].content[0].text),
    ):
        assert "".join(event.delta for event in events if event.type == kind) == text


def test_a_limit_of_tokens_leaves_it_incomplete(client: Any) -> None:
    response = ask(client, max_output_tokens=20)
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage.output_tokens <= 20
    *_, last = ask(client, max_output_tokens=20, stream=True)
    assert last.type == "response.incomplete"


def test_a_response_goes_back_into_the_next_input(client: Any) -> None:
    first = ask(client)
    turns = [{"role": "user", "content": QUESTION}, *(each.to_dict() for each in first.output)]
    turns.append({"role": "user", "content": QUESTION})
    second = ask(client, input=turns)
    assert second.status == "completed"
    assert second.usage.input_tokens > first.usage.input_tokens


def test_events_of_the_run_come_between_openais(client: Any) -> None:
    events = list(ask(client, stream=True, extra_body={"trigreason": {"events": True}}))
    own = [event.event for event in events if event.type == "response.trigreason.event"]
    assert {"step_begun", "step_accepted"} <= {event["type"] for event in own}
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_the_asynchronous_client(url: str) -> None:
    asked = {"model": "bundled", "input": QUESTION, "extra_body": {"seed": 1}}
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        whole = await ask(client)
        async with client.responses.stream(**asked) as stream:
            gathered = await stream.get_final_response()
    assert gathered.output_text == whole.output_text
