"""How a message is written down: the order of its events, and what its body says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.gateway.telemetry.exchanges import made_exchange, made_trace
from trigreason.events import AnswerText, RunBegun, StepBegun, ThinkingText
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Api, ChoiceRun
from trigreason.gateway.messages.answering import MessagesAnswer
from trigreason.gateway.messages.request import MessagesRequest
from trigreason.gateway.tools import GatewayEvent, ToolCalled
from trigreason.reasoning import Author, ToolCall, Trace, prompt_tokens

THOUGHT = (ThinkingText(Author.LRM, "so "), ThinkingText(Author.SRM, "it is"))
SAID = (AnswerText(Author.SRM, "for"), AnswerText(Author.SRM, "ty"))
SHOWN: dict[str, Any] = {"thinking": {"type": "adaptive"}}
OMITTED: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "omitted"}}
THINKING = {"type": "thinking", "thinking": "so it is", "signature": "msg_abc"}
TEXT = {"type": "text", "text": "forty"}
CALLS = tuple(ToolCalled(at, ToolCall(f"call{at}", "add", '{"a": 1}')) for at in (0, 1))
USES = [{"type": "tool_use", "id": f"call{at}", "name": "add", "input": {"a": 1}} for at in (0, 1)]


def answer(
    finish: str | None = "stop", stop: str | None = None, trace: Trace | None = None, **fields: Any
) -> tuple[MessagesAnswer, ChoiceRun]:
    """A message to be told, and its run, which has ended so."""
    run = ChoiceRun(trace=trace or made_trace(), finish_reason=finish, stop_text=stop)
    exchange = made_exchange(id="msg_abc", api=Api.MESSAGES, model="bundled", runs=[run])
    turn = {"role": "user", "content": "hello"}
    asked = {"model": "bundled", "max_tokens": 9, "messages": [turn]} | fields
    request = MessagesRequest.model_validate(asked)
    return MessagesAnswer(exchange, request, request.conversation), run


def told(data: bytes) -> list[dict[str, Any]]:
    """The events of a stream, whose names must be in their data too."""
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        name, content = block.split("\n")
        event = json.loads(content.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def streamed(*events: GatewayEvent, **how: Any) -> list[dict[str, Any]]:
    rendering, run = answer(**how)
    return told(b"".join(rendering.stream(run, event) for event in events) + rendering.end())


def whole(*events: GatewayEvent, **how: Any) -> dict[str, Any]:
    rendering, run = answer(**how)
    for event in events:
        rendering.gather(run, event)
    body: dict[str, Any] = json.loads(rendering.whole())
    return body


def put_together(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a client makes of its events."""
    message: dict[str, Any] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                assert event["index"] == len(message["content"]) - 1
                block, delta = message["content"][-1], event["delta"]
                for key in delta.keys() - {"type"}:
                    if key == "partial_json":
                        block["input"] = json.loads(delta[key])
                    else:
                        block[key] += delta[key]
            case "message_delta":
                message |= event["delta"] | {"trigreason": event["trigreason"]}
                message["usage"] |= event["usage"]
    return message


def names(events: list[dict[str, Any]]) -> list[str]:
    """The events' types; for a delta and a block its own."""
    return [
        event.get("delta", {}).get("type") or event.get("content_block", event)["type"]
        for event in events
    ]


def test_events_come_in_anthropics_order() -> None:
    events = streamed(*THOUGHT, *SAID, **SHOWN)
    assert names(events) == [
        "message_start",
        "thinking",
        "thinking_delta",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "text",
        "text_delta",
        "text_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event["index"] for event in events if "index" in event] == [0] * 5 + [1] * 4


CALLED: dict[str, Any] = {"finish": "tool_calls"}
CASES: list[tuple[tuple[GatewayEvent, ...], dict[str, Any], list[dict[str, Any]]]] = [
    ((*THOUGHT, *SAID), SHOWN, [THINKING, TEXT]),
    ((*THOUGHT, *SAID), OMITTED, [THINKING | {"thinking": ""}, TEXT]),
    ((*THOUGHT, *SAID), {}, [TEXT]),
    ((*THOUGHT, *SAID), {"thinking": {"type": "disabled"}}, [TEXT]),
    (SAID, SHOWN, [TEXT]),
    (THOUGHT, SHOWN, [THINKING, TEXT | {"text": ""}]),
    (THOUGHT, {}, [TEXT | {"text": ""}]),
    ((), SHOWN, [TEXT | {"text": ""}]),
    (THOUGHT, SHOWN | {"finish": "length"}, [THINKING]),
    (THOUGHT, {"finish": "length"}, []),
    ((*THOUGHT, *SAID), SHOWN | {"finish": "length"}, [THINKING, TEXT]),
    ((*THOUGHT, *SAID, *CALLS), CALLED, [TEXT, *USES]),
    ((*THOUGHT, *CALLS), CALLED | SHOWN, [THINKING, *USES]),
    ((*CALLS, *SAID, CALLS[0]), CALLED, [*USES, TEXT, USES[0]]),
]


@pytest.mark.parametrize(("events", "how", "content"), CASES)
def test_streamed_or_whole_it_is_the_same_message(
    events: tuple[GatewayEvent, ...], how: dict[str, Any], content: list[dict[str, Any]]
) -> None:
    message = whole(*events, **how)
    assert message["content"] == content
    assert put_together(streamed(*events, **how)) == message


@pytest.mark.parametrize(
    ("finish", "stop", "reason"),
    [
        ("stop", None, "end_turn"),
        ("length", None, "max_tokens"),
        ("stop", "§", "stop_sequence"),
        ("tool_calls", None, "tool_use"),
        ("tool_calls", "§", "tool_use"),
    ],
)
def test_why_it_ended(finish: str, stop: str | None, reason: str) -> None:
    message = whole(*SAID, finish=finish, stop=stop)
    told = stop if reason == "stop_sequence" else None
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, told)
    assert (message["id"], message["type"], message["role"]) == ("msg_abc", "message", "assistant")


def test_usage_is_that_of_the_texts_that_stand() -> None:
    assert whole(*THOUGHT, *SAID)["usage"] == {
        "input_tokens": 100,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 109,
        "output_tokens_details": {"thinking_tokens": 100},
        "service_tier": "standard",
    }


def test_cached_tokens_are_counted_apart() -> None:
    first, *others = made_trace().stretches
    trace = made_trace(stretches=[replace(first, cached_tokens=60), *others])
    usage = whole(*SAID, trace=trace)["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (40, 60)


def test_the_prompt_is_estimated_until_a_model_has_read_it() -> None:
    unread = made_trace(steps=[], stretches=[], answer="", answer_by={})
    rendering, _ = answer(None, trace=unread, system="Be brief.")
    (start, _) = told(rendering.keep_alive())
    usage = start["message"]["usage"]
    asked = MessagesRequest.model_validate(
        {
            "model": "bundled",
            "max_tokens": 9,
            "system": "Be brief.",
            "messages": [{"role": "user", "content": "hello"}],
        }
    )
    assert usage["input_tokens"] == prompt_tokens(asked.conversation) > 16
    assert usage["output_tokens"] == 0


def test_a_ping_comes_after_the_beginning() -> None:
    rendering, run = answer(**SHOWN)
    assert names(told(rendering.keep_alive())) == ["message_start", "ping"]
    assert names(told(rendering.keep_alive())) == ["ping"]
    assert names(told(rendering.stream(run, THOUGHT[0]))) == ["thinking", "thinking_delta"]


def test_nothing_is_sent_for_what_is_not_shown() -> None:
    rendering, run = answer()
    assert rendering.stream(run, RunBegun(made_trace())) == b""
    assert rendering.stream(run, THOUGHT[0]) == b""
    rendering, run = answer(**OMITTED)
    assert names(told(rendering.stream(run, THOUGHT[0]))) == ["message_start", "thinking"]
    assert rendering.stream(run, THOUGHT[1]) == b""


ERRORS: list[tuple[ApiError, int, str]] = [
    (ApiError(400, "No.", param="messages"), 400, "invalid_request_error"),
    (ApiError(401, "No."), 401, "authentication_error"),
    (ApiError(403, "No."), 403, "permission_error"),
    (ApiError(404, "No."), 404, "not_found_error"),
    (ApiError(405, "No."), 405, "invalid_request_error"),
    (ApiError(408, "No."), 408, "timeout_error"),
    (ApiError(413, "No."), 413, "request_too_large"),
    (ApiError(429, "No.", code="rate_limit_exceeded"), 429, "rate_limit_error"),
    (ApiError(429, "No.", code="insufficient_quota"), 402, "billing_error"),
    (ApiError(429, "No.", code="queue_full"), 529, "overloaded_error"),
    (ApiError(500, "No."), 500, "api_error"),
    (ApiError(501, "No."), 501, "api_error"),
    (ApiError(502, "No."), 502, "api_error"),
    (ApiError(503, "No."), 529, "overloaded_error"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ERRORS)
def test_an_error_has_anthropics_shape(error: ApiError, status: int, kind: str) -> None:
    rendering, run = answer(None)
    body = {
        "type": "error",
        "error": {"type": kind, "message": "No."},
        "request_id": "msg_abc",
    }
    refused, data = rendering.refusal(error)
    assert (refused, json.loads(data)) == (status, body)
    begun = rendering.stream(run, SAID[0])
    *_, last = told(begun + rendering.failure(error))
    own = last.pop("trigreason")
    assert last == body
    assert own["pair"] == "qwen"


def test_what_happens_beside_the_text_is_told_when_it_is_asked_for() -> None:
    begun, options = StepBegun(Author.SRM, None), {"trigreason": {"events": True}}
    events = streamed(begun, *SAID, **options)
    own = next(event for event in events if event["type"] == "trigreason")
    assert own["event"]["type"] == "step_begun"
    assert "trigreason" not in names(streamed(begun, *SAID))
    assert whole(begun, *SAID, **options)["trigreason"]["events"] == [own["event"]]
    assert "events" not in whole(begun, *SAID)["trigreason"]
