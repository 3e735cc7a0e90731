"""Tools over ``/v1/responses``, as OpenAI's packages call them and go on."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from tests.gateway.clients.conftest import MISSING
from tests.gateway.clients.test_function_tools import (
    ANSWER,
    MODEL,
    QUESTION,
    TURN,
    Weather,
    address,
    langchain_message,
    openai_client,
    weather,
)
from tests.gateway.test_tools import ARGUMENTS, WEATHER

pytestmark = pytest.mark.slow
openai: Any = pytest.importorskip("openai", reason=MISSING)
responses: Any = pytest.importorskip("openai.types.responses", reason=MISSING)

TOOL = {"type": "function", "strict": True} | WEATHER["function"]
CONTINUED = "<think>I look it up.\n\n</think><tool_call>weather:Paris</tool_call>"
STATELESS = {"store": False, "include": ["reasoning.encrypted_content"]}


class City(BaseModel):
    """The weather of a city."""

    city: str


async def response(client: Any, streamed: bool, **fields: Any) -> Any:
    """A response, whose events and body fit the types of OpenAI's package."""
    if not streamed:
        told = await client.responses.create(model=MODEL, **fields)
    else:
        one: Any = TypeAdapter(responses.ResponseStreamEvent)
        events = [
            each async for each in await client.responses.create(model=MODEL, stream=True, **fields)
        ]
        for event in events:
            one.validate_python(event.model_dump(), strict=True)
        assert [event.sequence_number for event in events] == list(range(len(events)))
        told = events[-1].response
    responses.Response.model_validate(told.model_dump(), strict=True)
    assert told.status == "completed"
    return told


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("more", [{}, STATELESS])
async def test_a_call_and_its_output(tmp_path: Path, streamed: bool, more: dict[str, Any]) -> None:
    async with openai_client(tmp_path) as (client, server):
        first = await response(client, streamed, input=[TURN], tools=[TOOL], **more)
        reasoning, call = first.output
        assert (call.type, call.name, json.loads(call.arguments)) == (
            *("function_call", "weather", json.loads(ARGUMENTS)),
        )
        assert call.id != call.call_id
        assert bool(reasoning.encrypted_content) == bool(more)
        result = {"type": "function_call_output", "call_id": call.call_id}
        items = [TURN, *first.output, result | {"output": weather("Paris")}]
        last = await response(client, streamed, input=items, tools=[TOOL], **more)
        assert last.output_text == ANSWER
        assert CONTINUED in server.prompts[-1]


async def test_arguments_are_parsed(tmp_path: Path) -> None:
    async with openai_client(tmp_path) as (client, _):
        tool = openai.pydantic_function_tool(City, name="weather")
        asked = {"model": MODEL, "input": QUESTION, "tools": [tool]}
        whole = await client.responses.parse(**asked)
        async with client.responses.stream(**asked) as stream:
            events = [event async for event in stream]
            gathered = await stream.get_final_response()
    for told in (whole, gathered):
        assert told.output[-1].parsed_arguments == City(city="Paris")
    [delta] = [each for each in events if each.type == "response.function_call_arguments.delta"]
    assert delta.snapshot == delta.delta == ARGUMENTS


async def test_what_is_not_kept_is_not_found(tmp_path: Path) -> None:
    async with openai_client(tmp_path) as (client, _):
        reference = {"type": "item_reference", "id": "rs_1"}
        with pytest.raises(openai.NotFoundError, match="not kept here"):
            await client.responses.create(model=MODEL, input=[TURN, reference])
        sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model=MODEL, input=[sealed, TURN])
    assert refused.value.code == "invalid_encrypted_content"


async def test_langchain(tmp_path: Path) -> None:
    langchain: Any = pytest.importorskip("langchain_openai", reason=MISSING)
    async with address(tmp_path) as (url, server):
        for more in ({}, STATELESS):
            chat = langchain.ChatOpenAI(
                model=MODEL,
                base_url=url,
                api_key="none",
                max_retries=0,
                use_responses_api=True,
                **more,
            )
            bound = chat.bind_tools([weather])
            for streamed in (False, True):
                first = await langchain_message(bound, [("user", QUESTION)], streamed)
                [call] = first.tool_calls
                result = {"role": "tool", "tool_call_id": call["id"], "content": weather("Paris")}
                turns = [("user", QUESTION), first, result]
                assert (await langchain_message(bound, turns, streamed)).text == ANSWER
                assert CONTINUED in server.prompts[-1]


async def test_pydantic_ai(tmp_path: Path) -> None:
    pydantic_ai: Any = pytest.importorskip("pydantic_ai", reason=MISSING)
    models = import_module("pydantic_ai.models.openai")
    providers = import_module("pydantic_ai.providers.openai")
    async with address(tmp_path) as (url, server):
        provider = providers.OpenAIProvider(base_url=url, api_key="none")
        chat = models.OpenAIResponsesModel(MODEL, provider=provider)
        agent = pydantic_ai.Agent(chat, tools=[weather])
        first = await agent.run(QUESTION)
        again = await agent.run(QUESTION, message_history=first.all_messages())
        assert first.output == again.output == ANSWER
        assert CONTINUED in server.prompts[-1]
        by_call = pydantic_ai.Agent(chat, output_type=Weather)
        assert (await by_call.run(QUESTION)).output == Weather(city="Paris", degrees=21)
