"""How a response is written down: the order of its events, and what its body says."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.gateway.responses.states import CALL, OUTPUT, TIME, state
from tests.gateway.telemetry.exchanges import made_exchange, made_trace
from trigreason.events import AnswerText, RunBegun, StepBegun, ThinkingText
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Api, ChoiceRun
from trigreason.gateway.responses.answering import ResponsesAnswer
from trigreason.gateway.responses.conversation import conversation
from trigreason.gateway.responses.recent_items import RecentItems
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.gateway.tools import GatewayEvent, ToolCalled
from trigreason.reasoning import Author, ToolCall

THOUGHT = (ThinkingText(Author.LRM, "so "), ThinkingText(Author.SRM, "it is"))
SAID = (AnswerText(Author.SRM, "for"), AnswerText(Author.SRM, "ty"))
CALLS = (
    ToolCalled(0, ToolCall("call_1", "time", '{"zone": "UTC"}')),
    ToolCalled(1, ToolCall("call_2", "time", "{}")),
)
ITEM = ("output_item.added", "content_part.added")
CLOSED = ("content_part.done", "output_item.done")
ARGUMENTS = ("function_call_arguments.delta", "function_call_arguments.done")
CALL_EVENTS = ("output_item.added", *ARGUMENTS, "output_item.done")


def answer(
    finish: str | None = "stop", recent: RecentItems | None = None, **fields: Any
) -> tuple[ResponsesAnswer, ChoiceRun]:
    """A response to be told, and its run, which has ended so."""
    run = ChoiceRun(trace=made_trace(), finish_reason=finish)
    exchange = made_exchange(id="resp_abc", api=Api.RESPONSES, model="bundled", runs=[run])
    asked = {"model": "bundled", "input": "hello"} | fields
    return ResponsesAnswer(exchange, ResponsesRequest.model_validate(asked), state(recent)), run


def told(data: bytes) -> list[dict[str, Any]]:
    """The events of a stream, whose names must be in their data too."""
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        name, content = block.split("\n")
        event = json.loads(content.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def whole(*events: GatewayEvent, finish: str = "stop", **fields: Any) -> dict[str, Any]:
    rendering, run = answer(finish, **fields)
    for event in events:
        rendering.gather(run, event)
    response: dict[str, Any] = json.loads(rendering.whole())
    return response


def streamed(*events: GatewayEvent, finish: str = "stop", **fields: Any) -> list[dict[str, Any]]:
    rendering, run = answer(finish, **fields)
    return told(b"".join(rendering.stream(run, event) for event in events) + rendering.end())


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_events_come_in_openais_order() -> None:
    events = streamed(*THOUGHT, *SAID)
    assert names(events) == [
        "created",
        "in_progress",
        *ITEM,
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        *CLOSED,
        *ITEM,
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        *CLOSED,
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_the_texts_of_a_stream_are_those_of_its_last_event() -> None:
    events = streamed(*THOUGHT, *SAID)
    reasoning, message = events[-1]["response"]["output"]
    deltas = [event for event in events if event["type"].endswith(".delta")]
    for item, part, text in (
        (reasoning, "reasoning_text", "so it is"),
        (message, "output_text", "forty"),
    ):
        own = [each["delta"] for each in deltas if each["type"] == f"response.{part}.delta"]
        assert "".join(own) == text == item["content"][0]["text"]
        assert item["content"][0]["type"] == part
        assert item["status"] == "completed"
    assert {event["item_id"] for event in deltas} == {reasoning["id"], message["id"]}
    assert [event["output_index"] for event in deltas] == [0, 0, 1, 1]


def test_what_is_not_streamed_says_the_same() -> None:
    rendering, run = answer()
    for event in (*THOUGHT, *SAID):
        rendering.gather(run, event)
    assert json.loads(rendering.whole()) == streamed(*THOUGHT, *SAID)[-1]["response"]


def test_a_response_that_is_cut_short_in_its_thinking_has_no_message() -> None:
    events = streamed(*THOUGHT, finish="length")
    assert names(events)[-2:] == ["output_item.done", "incomplete"]
    response = events[-1]["response"]
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [item["status"] for item in response["output"]] == ["incomplete"]
    assert events[-2]["item"] == response["output"][0]


def test_a_response_that_is_cut_short_in_its_answer_has_thought_to_the_end() -> None:
    response = streamed(*THOUGHT, *SAID, finish="length")[-1]["response"]
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]


def test_a_finished_response_has_a_message_also_where_nothing_was_said() -> None:
    response = streamed()[-1]["response"]
    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["message"]
    assert response["output"][0]["content"][0]["text"] == ""
    rendering, _ = answer()
    assert json.loads(rendering.whole())["output"] == response["output"]


def test_a_stream_that_cannot_go_on_ends_with_what_there_was() -> None:
    rendering, run = answer(None)
    begun = rendering.stream(run, THOUGHT[0])
    failed = told(begun + rendering.failure(ApiError(502, "A model failed.", code="engine_failed")))
    assert names(failed)[-2:] == ["reasoning_text.delta", "failed"]
    response = failed[-1]["response"]
    assert response["status"] == "failed"
    assert response["error"] == {"code": "server_error", "message": "A model failed."}
    assert response["trigreason"]["error"] == "engine_failed"
    assert response["output"][0]["content"][0]["text"] == "so "
    assert response["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_prompt"), (429, "rate_limit_exceeded"), (503, "server_error")],
)
def test_a_stream_that_fails_before_its_first_text_is_a_response_too(
    status: int, code: str
) -> None:
    rendering, _ = answer(None)
    events = told(rendering.failure(ApiError(status, "No.")))
    assert names(events) == ["created", "in_progress", "failed"]
    assert events[-1]["response"]["error"]["code"] == code


def test_what_happens_beside_the_text_is_told_when_it_is_asked_for() -> None:
    begun = StepBegun(Author.SRM, None)
    events = streamed(begun, *THOUGHT, trigreason={"events": True})
    own = next(event for event in events if event["type"] == "response.trigreason.event")
    assert own["event"]["type"] == "step_begun"
    assert not any("trigreason" in name for name in names(streamed(begun, *THOUGHT)))
    rendering, run = answer(trigreason={"events": True})
    rendering.gather(run, begun)
    assert json.loads(rendering.whole())["trigreason"]["events"] == [own["event"]]


def test_nothing_is_sent_for_what_is_no_text() -> None:
    rendering, run = answer()
    assert rendering.stream(run, RunBegun(made_trace())) == b""


def test_what_was_asked_is_said_back_and_what_is_done_is_told() -> None:
    response = streamed(
        *SAID,
        instructions="be brief",
        metadata={"a": "b"},
        max_output_tokens=9,
        reasoning={"effort": "low"},
        store=True,
        truncation="auto",
        tool_choice="none",
        temperature=0.5,
    )[-1]["response"]
    assert response["instructions"] == "be brief"
    assert response["metadata"] == {"a": "b"}
    assert response["max_output_tokens"] == 9
    assert response["reasoning"]["effort"] == "low"
    assert (response["tool_choice"], response["temperature"]) == ("none", 0.5)
    assert (response["store"], response["truncation"]) == (False, "disabled")


def test_usage_is_that_of_the_texts_that_stand() -> None:
    usage = streamed(*THOUGHT, *SAID)[-1]["response"]["usage"]
    assert usage["input_tokens"] == 100
    assert usage["output_tokens"] == 109
    assert usage["output_tokens_details"]["reasoning_tokens"] == 100
    assert usage["total_tokens"] == 209


def test_lifecycle_events_tell_of_one_response() -> None:
    events = streamed(*THOUGHT, *SAID)
    whole = [event["response"] for event in events if "response" in event]
    assert [each["status"] for each in whole] == ["in_progress", "in_progress", "completed"]
    for before, after in pairwise(whole):
        assert before.keys() <= after.keys()
        assert before["id"] == after["id"] == "resp_abc"


def test_each_call_is_an_item_between_those_of_text() -> None:
    events = streamed(*THOUGHT, SAID[0], *CALLS, SAID[1], finish="tool_calls")
    assert names(events)[names(events).index("output_text.delta") :] == [
        *("output_text.delta", "output_text.done", *CLOSED),
        *CALL_EVENTS,
        *CALL_EVENTS,
        *(*ITEM, "output_text.delta", "output_text.done", *CLOSED, "completed"),
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    output = events[-1]["response"]["output"]
    assert output[2] == CALL | {"id": "fc_abc_2"}
    assert output[3] == CALL | {"id": "fc_abc_3", "call_id": "call_2", "arguments": "{}"}
    assert [item["id"] for item in output] == [
        *("rs_abc_0", "msg_abc_1", "fc_abc_2", "fc_abc_3", "msg_abc_4"),
    ]


def test_the_events_of_a_call_tell_its_place_and_its_arguments() -> None:
    events = streamed(*THOUGHT, CALLS[0], finish="tool_calls")
    added, delta, done, closed, _ = events[-5:]
    item = CALL | {"id": "fc_abc_1"}
    assert added["item"] == item | {"arguments": "", "status": "in_progress"}
    assert closed["item"] == item
    place = {"item_id": "fc_abc_1", "output_index": 1}
    assert delta.items() >= (place | {"delta": '{"zone": "UTC"}'}).items()
    assert done.items() >= (place | {"name": "time", "arguments": '{"zone": "UTC"}'}).items()
    assert added["output_index"] == closed["output_index"] == 1


@pytest.mark.parametrize(
    ("events", "finish", "kinds"),
    [
        (CALLS, "tool_calls", ["function_call", "function_call"]),
        ((*THOUGHT, CALLS[0]), "stop", ["reasoning", "function_call"]),
        ((*SAID, CALLS[0]), "tool_calls", ["message", "function_call"]),
        ((CALLS[0], *SAID), "length", ["function_call", "message"]),
        (CALLS[:1], "length", ["function_call"]),
    ],
)
def test_calls_streamed_or_not_are_the_same(
    events: tuple[GatewayEvent, ...], finish: str, kinds: list[str]
) -> None:
    response = streamed(*events, finish=finish)[-1]["response"]
    assert response == whole(*events, finish=finish)
    assert [item["type"] for item in response["output"]] == kinds
    calls = [item for item in response["output"] if item["type"] == "function_call"]
    assert {call["status"] for call in calls} == {"completed"}
    assert (response["status"] == "incomplete") == (finish == "length")


def test_a_failure_leaves_a_call_complete() -> None:
    rendering, run = answer(None)
    begun = rendering.stream(run, CALLS[0])
    last = told(begun + rendering.failure(ApiError(502, "A model failed.")))[-1]
    assert last["response"]["output"] == [CALL | {"id": "fc_abc_0"}]


INCLUDE = ["reasoning.encrypted_content"]


@pytest.mark.parametrize("finish", ["tool_calls", "length"])
def test_reasoning_is_signed_for_clients_that_ask_for_it(finish: str) -> None:
    events = streamed(*THOUGHT, CALLS[0], finish=finish, include=INCLUDE)
    added, done = (
        next(event["item"] for event in events if event["type"] == f"response.output_item.{what}")
        for what in ("added", "done")
    )
    assert "encrypted_content" not in added
    reasoning = events[-1]["response"]["output"][0]
    assert done == reasoning
    assert state().reasoning(reasoning["encrypted_content"], "input[0]") == "so it is"
    assert reasoning["content"][0]["text"] == "so it is"
    assert "encrypted_content" not in json.dumps(streamed(*THOUGHT, CALLS[0]))


@pytest.mark.parametrize(("store", "is_kept"), [(None, True), (True, True), (False, False)])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_items_are_kept_unless_the_client_wants_none_to_be(
    store: bool | None, is_kept: bool, is_streamed: bool
) -> None:
    recent = RecentItems()
    tell = streamed if is_streamed else whole
    tell(*THOUGHT, SAID[0], CALLS[0], finish="tool_calls", recent=recent, store=store)
    items = [
        {"type": "item_reference", "id": identity}
        for identity in ("rs_abc_0", "msg_abc_1", "fc_abc_2")
    ]
    if not is_kept:
        with pytest.raises(ApiError, match="not kept"):
            conversation(None, items[:1], state(recent))
        return
    turn, result = conversation(None, [*items, OUTPUT], state(recent))
    assert (turn.reasoning, turn.content) == ("so it is", "for")
    assert (turn.tool_calls, result.content) == ((CALLS[0].call,), "noon")


def test_a_response_repeats_its_tools_and_its_choice() -> None:
    choice = {"type": "function", "name": "time"}
    fields: dict[str, Any] = {"tools": [{"type": "web_search"}, TIME], "tool_choice": choice}
    response = streamed(*CALLS, parallel_tool_calls=False, **fields)[-1]["response"]
    assert (response["tools"], response["tool_choice"]) == ([TIME], choice)
    assert response["parallel_tool_calls"] is False
