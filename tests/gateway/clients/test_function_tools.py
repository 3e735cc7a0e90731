"""Tools and schemas, as the packages of OpenAI, Anthropic, LangChain and Pydantic AI send them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.gateway.clients.conftest import MISSING
from tests.gateway.test_tools import ARGUMENTS, CALL, WEATHER, asked
from tests.scripted_server import Body, Reply, ScriptedServer, say

pytestmark = pytest.mark.slow

QUESTION = "How warm is Paris?"
ANSWER = "It is 21 degrees in Paris."
TURN = {"role": "user", "content": QUESTION}
MODEL = "p:srm"
WARM = '{"city": "Paris", "degrees": 21}'


class Weather(BaseModel):
    """How warm a city is."""

    city: str
    degrees: int


IN_PARIS = Weather(city="Paris", degrees=21)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"21 degrees in {city}"


def model(body: Body) -> Reply:
    """A model that looks the weather up, tells it, and writes JSON where it is asked to."""
    prompt, _, schema = body["prompt"].rpartition("The answer as JSON that fits the schema")
    if prompt:
        forced = re.search(r'"name":{"const":"(\w+)"}', schema)
        if not forced:
            return say(WARM)
        takes_none = forced[1].startswith("transfer_to_")  # an agent that hands over to another
        return say(f'{{"name": "{forced[1]}", "arguments": {"{}" if takes_none else WARM}}}')
    told = ANSWER if "21 degrees" in body["prompt"] else CALL
    return say(f"I look it up.\n\n</think>\n\n{told}")


@asynccontextmanager
async def address(folder: Path) -> AsyncIterator[tuple[str, ScriptedServer]]:
    async with asked(folder, model) as (client, server):
        yield f"{client.url}/v1", server


@asynccontextmanager
async def openai_client(folder: Path) -> AsyncIterator[tuple[Any, ScriptedServer]]:
    openai: Any = pytest.importorskip("openai", reason=MISSING)
    async with (
        address(folder) as (url, server),
        openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        yield client, server


@pytest.mark.parametrize("streamed", [False, True])
async def test_openais_package_calls_and_goes_on(tmp_path: Path, streamed: bool) -> None:
    async def completion(turns: list[Any]) -> Any:
        fields = {"model": MODEL, "messages": turns, "tools": [WEATHER]}
        if not streamed:
            return await client.chat.completions.create(**fields)
        async with client.chat.completions.stream(**fields) as stream:
            kinds = [event.type async for event in stream]
            told = await stream.get_final_completion()
        calls = told.choices[0].message.tool_calls
        assert ("tool_calls.function.arguments.done" in kinds) == bool(calls)
        return told

    async with openai_client(tmp_path) as (client, server):
        first = (await completion([TURN])).choices[0]
        [call] = first.message.tool_calls
        assert (first.finish_reason, call.type, first.message.content or "") == (
            "tool_calls",
            "function",
            "",
        )
        assert (call.function.name, json.loads(call.function.arguments)) == (
            "weather",
            json.loads(ARGUMENTS),
        )
        result = {"role": "tool", "tool_call_id": call.id, "content": weather("Paris")}
        turn = first.message.model_dump(exclude_none=True, exclude={"parsed"})
        turn["tool_calls"] = [call.model_dump(include={"id", "type", "function"})]
        turn["tool_calls"][0]["function"].pop("parsed_arguments", None)
        last = (await completion([TURN, turn, result])).choices[0]
    assert (last.finish_reason, last.message.content) == ("stop", ANSWER)
    assert "<think>I look it up." in server.prompts[-1]
    assert "<tool_call>weather:Paris</tool_call>" in server.prompts[-1]


async def test_openais_package_parses_answers(tmp_path: Path) -> None:
    async with openai_client(tmp_path) as (client, _):
        chat = await client.chat.completions.parse(
            model=MODEL, messages=[TURN], response_format=Weather
        )
        response = await client.responses.parse(model=MODEL, input=QUESTION, text_format=Weather)
    assert chat.choices[0].message.parsed == response.output_parsed == IN_PARIS


@pytest.mark.parametrize(
    ("choice", "finish"),
    [("required", "tool_calls"), ({"type": "function", "function": {"name": "weather"}}, "stop")],
)
async def test_openais_package_forces_a_call(tmp_path: Path, choice: Any, finish: str) -> None:
    fields = {"model": MODEL, "messages": [TURN], "tools": [WEATHER], "tool_choice": choice}
    async with openai_client(tmp_path) as (client, _):
        whole = await client.chat.completions.create(**fields)
        async with client.chat.completions.stream(**fields) as stream:
            await stream.until_done()
            gathered = await stream.get_final_completion()
    for answer in (whole, gathered):
        [called] = answer.choices[0].message.tool_calls
        assert json.loads(called.function.arguments) == IN_PARIS.model_dump()
        assert answer.choices[0].finish_reason == finish


@pytest.mark.parametrize("streamed", [False, True])
async def test_anthropics_package_calls_and_goes_on(tmp_path: Path, streamed: bool) -> None:
    anthropic: Any = pytest.importorskip("anthropic", reason=MISSING)
    tool = {"name": "weather", "input_schema": WEATHER["function"]["parameters"]}
    fields = {"model": MODEL, "max_tokens": 4096, "tools": [tool], "thinking": {"type": "adaptive"}}

    async def message(turns: list[Any], **more: Any) -> Any:
        if not streamed:
            return await client.messages.create(messages=turns, **fields, **more)
        async with client.messages.stream(messages=turns, **fields, **more) as stream:
            return await stream.get_final_message()

    async with (
        asked(tmp_path, model) as (gateway, server),
        anthropic.AsyncAnthropic(base_url=gateway.url, api_key="none", max_retries=0) as client,
    ):
        first = await message([TURN])
        thinking, call = first.content
        assert (first.stop_reason, thinking.thinking) == ("tool_use", "I look it up.\n\n")
        assert (call.type, call.name, call.input) == ("tool_use", "weather", json.loads(ARGUMENTS))
        result = {"type": "tool_result", "tool_use_id": call.id, "content": weather("Paris")}
        last = await message([TURN, first.to_param(), {"role": "user", "content": [result]}])
        assert (last.stop_reason, last.content[-1].text) == ("end_turn", ANSWER)
        assert "<think>I look it up.\n\n</think><tool_call>weather:Paris<" in server.prompts[-1]
        for choice in ({"type": "any"}, {"type": "tool", "name": "weather"}):
            forced = await message([TURN], tool_choice=choice)
            assert (forced.stop_reason, forced.content[1].input) == (
                "tool_use",
                IN_PARIS.model_dump(),
            )


@pytest.mark.parametrize("thinking", [{"type": "disabled"}, {"type": "adaptive"}])
async def test_anthropics_package_parses_messages(tmp_path: Path, thinking: Any) -> None:
    anthropic: Any = pytest.importorskip("anthropic", reason=MISSING)
    fields = {"model": MODEL, "max_tokens": 4096, "messages": [TURN], "thinking": thinking}
    async with (
        asked(tmp_path, model) as (gateway, _),
        anthropic.AsyncAnthropic(base_url=gateway.url, api_key="none", max_retries=0) as client,
    ):
        whole = await client.messages.parse(output_format=Weather, **fields)
        beta = await client.beta.messages.parse(output_format=Weather, **fields)
        async with client.messages.stream(output_format=Weather, **fields) as stream:
            gathered = await stream.get_final_message()
    for message in (whole, beta, gathered):
        assert message.parsed_output == IN_PARIS
        assert len(message.content) == (2 if thinking["type"] == "adaptive" else 1)


async def test_langchain_calls_and_goes_on_and_parses(tmp_path: Path) -> None:
    # One test, because LangChain keeps its connections beyond an event loop
    langchain: Any = pytest.importorskip("langchain_openai", reason=MISSING)
    async with address(tmp_path) as (url, server):
        chat = langchain.ChatOpenAI(model=MODEL, base_url=url, api_key="none", max_retries=0)
        bound = chat.bind_tools([weather])
        for streamed in (False, True):
            first = await langchain_message(bound, [("user", QUESTION)], streamed)
            [call] = first.tool_calls
            assert (call["name"], call["args"]) == ("weather", {"city": "Paris"})
            result = {"role": "tool", "tool_call_id": call["id"], "content": weather("Paris")}
            last = await langchain_message(bound, [("user", QUESTION), first, result], streamed)
            assert (last.text, last.tool_calls) == (ANSWER, [])
            assert "<tool_call>weather:Paris</tool_call>" in server.prompts[-1]
        for method in ("json_schema", "function_calling"):
            structured = chat.with_structured_output(Weather, method=method)
            assert await structured.ainvoke(QUESTION) == IN_PARIS


async def langchain_message(bound: Any, turns: list[Any], streamed: bool) -> Any:
    if not streamed:
        return await bound.ainvoke(turns)
    first, *others = [chunk async for chunk in bound.astream(turns)]
    return sum(others, first)


async def test_pydantic_ai_calls_and_answers(tmp_path: Path) -> None:
    pydantic_ai: Any = pytest.importorskip("pydantic_ai", reason=MISSING)
    models = import_module("pydantic_ai.models.openai")
    providers = import_module("pydantic_ai.providers.openai")
    async with address(tmp_path) as (url, server):
        provider = providers.OpenAIProvider(base_url=url, api_key="none")
        chat = models.OpenAIChatModel(MODEL, provider=provider)
        agent = pydantic_ai.Agent(chat, tools=[weather])
        assert (await agent.run(QUESTION)).output == ANSWER
        async with agent.run_stream(QUESTION) as stream:
            assert await stream.get_output() == ANSWER
        native = pydantic_ai.Agent(chat, output_type=pydantic_ai.NativeOutput(Weather))
        assert (await native.run(QUESTION)).output == IN_PARIS
        assert "<tool_call>weather:Paris</tool_call>" in server.prompts[-3]
        by_call = pydantic_ai.Agent(chat, output_type=Weather)
        assert (await by_call.run(QUESTION)).output == IN_PARIS
