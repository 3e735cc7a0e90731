"""The OpenAI Agents SDK, asking for chat completions and responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING
from tests.gateway.clients.test_function_tools import (
    ANSWER,
    IN_PARIS,
    MODEL,
    QUESTION,
    TURN,
    Weather,
    openai_client,
    weather,
)

pytestmark = pytest.mark.slow
agents: Any = pytest.importorskip("agents", reason=MISSING)
agents.set_tracing_disabled(True)  # traces would go to OpenAI


CONTINUED = "<think>I look it up.\n\n</think><tool_call>weather:Paris</tool_call>"
KINDS = ["OpenAIChatCompletionsModel", "OpenAIResponsesModel"]


def agent(client: Any, kind: str = KINDS[0], **fields: Any) -> Any:
    model = getattr(agents, kind)(model=MODEL, openai_client=client)
    return agents.Agent(name="Weather", instructions="Be brief.", model=model, **fields)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_agent_calls_a_function_and_answers(
    tmp_path: Path, streamed: bool, kind: str
) -> None:
    async with openai_client(tmp_path) as (client, server):
        asked = agent(client, kind, tools=[agents.function_tool(weather)])
        if streamed:
            run = agents.Runner.run_streamed(asked, QUESTION)
            events = {event.type async for event in run.stream_events()}
            assert {"raw_response_event", "run_item_stream_event"} <= events
        else:
            run = await agents.Runner.run(asked, QUESTION)
        prompt = server.prompts[-1]
        again = await agents.Runner.run(asked, [*run.to_input_list(), TURN])
    assert run.final_output == again.final_output == ANSWER
    calls = [item.type for item in run.new_items if item.type.startswith("tool_call")]
    assert calls == ["tool_call_item", "tool_call_output_item"]
    assert "<tool_call>weather:Paris</tool_call>" in prompt
    if kind == "OpenAIResponsesModel":  # which sends the reasoning back, and the other one does not
        assert CONTINUED in prompt


async def test_an_agent_hands_over_to_another(tmp_path: Path) -> None:
    async with openai_client(tmp_path) as (client, _):
        settings = agents.ModelSettings(tool_choice="required")
        expert = agent(client, tools=[agents.function_tool(weather)])
        first = agent(client, handoffs=[expert], model_settings=settings)
        run = await agents.Runner.run(first, QUESTION)
    assert (run.last_agent, run.final_output) == (expert, ANSWER)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_agent_answers_with_a_model(tmp_path: Path, kind: str) -> None:
    async with openai_client(tmp_path) as (client, _):
        run = await agents.Runner.run(agent(client, kind, output_type=Weather), QUESTION)
    assert run.final_output == IN_PARIS


@pytest.mark.parametrize("kind", KINDS)
async def test_a_conversation_goes_on_with_what_came_back(tmp_path: Path, kind: str) -> None:
    told = "It is 21 degrees, says the radio."
    async with openai_client(tmp_path) as (client, server):
        first = await agents.Runner.run(agent(client, kind), told)
        turns = [*first.to_input_list(), {"role": "user", "content": QUESTION}]
        second = agents.Runner.run_streamed(agent(client, kind), turns)
        assert [event async for event in second.stream_events()]
    assert first.final_output == second.final_output == ANSWER
    turn, answer, question = (server.prompts[-1].index(each) for each in (told, ANSWER, QUESTION))
    assert turn < answer < question
