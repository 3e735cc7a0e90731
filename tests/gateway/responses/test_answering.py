"""How a response is written down: the order of its events, and what its body says."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.gateway.telemetry.exchanges import made_exchange, made_trace
from trigreason.events import AnswerText, Event, RunBegun, StepBegun, ThinkingText
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Api, ChoiceRun
from trigreason.gateway.responses.answering import ResponsesAnswer
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.reasoning import Author

THOUGHT = (ThinkingText(Author.LRM, "so "), ThinkingText(Author.SRM, "it is"))
SAID = (AnswerText(Author.SRM, "for"), AnswerText(Author.SRM, "ty"))
ITEM = ("output_item.added", "content_part.added")
CLOSED = ("content_part.done", "output_item.done")


def answer(finish: str | None = "stop", **fields: Any) -> tuple[ResponsesAnswer, ChoiceRun]:
    """A response to be told, and its run, which has ended so."""
    run = ChoiceRun(trace=made_trace(), finish_reason=finish)
    exchange = made_exchange(id="resp_abc", api=Api.RESPONSES, model="bundled", runs=[run])
    asked = {"model": "bundled", "input": "hello"} | fields
    return ResponsesAnswer(exchange, ResponsesRequest.model_validate(asked)), run


def told(data: bytes) -> list[dict[str, Any]]:
    """The events of a stream, whose names must be in their data too."""
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        name, content = block.split("\n")
        event = json.loads(content.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def streamed(*events: Event, finish: str = "stop", **fields: Any) -> list[dict[str, Any]]:
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
