"""How input items become turns: calls and their outputs, reasoning, and what items refer to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.responses.states import CALL, OUTPUT, state
from trigreason.gateway.errors import ApiError
from trigreason.gateway.responses.conversation import conversation
from trigreason.gateway.responses.recent_items import RecentItems
from trigreason.reasoning import Message, ToolCall

Item = dict[str, Any]
USER = {"role": "user", "content": "What time is it?"}
ASKED = Message("user", "What time is it?")
CALLED = ToolCall("call_1", "time", '{"zone": "UTC"}')
ALSO = CALL | {"call_id": "call_2", "arguments": ""}
ALSO_CALLED = ToolCall("call_2", "time", "{}")
ALSO_OUTPUT = OUTPUT | {"call_id": "call_2", "output": [{"type": "input_text", "text": "one"}]}
NOON = Message("tool", "noon", tool_call_id="call_1")
ONE = Message("tool", "one", tool_call_id="call_2")
THOUGHT = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "a"}]}
SUMMARY = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "b"}], "content": None}
UNTOLD: Item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}


def said(text: str) -> Item:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


@pytest.mark.parametrize(
    ("items", "turns"),
    [
        ([CALL, OUTPUT], [Message("assistant", "", (CALLED,)), NOON]),
        (
            [THOUGHT, said("I look."), CALL, OUTPUT],
            [Message("assistant", "I look.", (CALLED,), reasoning="a"), NOON],
        ),
        (
            [THOUGHT, CALL, SUMMARY, ALSO, OUTPUT, ALSO_OUTPUT],
            [Message("assistant", "", (CALLED, ALSO_CALLED), reasoning="ab"), NOON, ONE],
        ),
        (
            [CALL, ALSO, ALSO_OUTPUT, OUTPUT],
            [Message("assistant", "", (CALLED, ALSO_CALLED)), NOON, ONE],
        ),
        (
            [ALSO, CALL, OUTPUT, ALSO_OUTPUT],
            [Message("assistant", "", (ALSO_CALLED, CALLED)), ONE, NOON],
        ),
        (
            [CALL, OUTPUT, SUMMARY, ALSO, ALSO_OUTPUT],
            [
                *(Message("assistant", "", (CALLED,)), NOON),
                *(Message("assistant", "", (ALSO_CALLED,), reasoning="b"), ONE),
            ],
        ),
        (
            [CALL, ALSO, OUTPUT, USER, ALSO_OUTPUT],
            [Message("assistant", "", (CALLED, ALSO_CALLED)), NOON, ASKED, ONE],
        ),
        ([CALL, said("There."), OUTPUT], [Message("assistant", "There.", (CALLED,)), NOON]),
        ([THOUGHT, said("Noon."), USER], [Message("assistant", "Noon."), ASKED]),
        ([THOUGHT, said("No"), said("on."), USER], [Message("assistant", "No\n\non."), ASKED]),
        ([THOUGHT, said(""), USER], [Message("assistant", ""), ASKED]),
        ([CALL, OUTPUT, THOUGHT, USER], [Message("assistant", "", (CALLED,)), NOON, ASKED]),
        ([UNTOLD, CALL, OUTPUT], [Message("assistant", "", (CALLED,)), NOON]),
    ],
)
def test_turns(items: list[Item], turns: list[Message]) -> None:
    assert conversation(None, [USER, *items], state()) == (ASKED, *turns)


@pytest.mark.parametrize("item", [THOUGHT, UNTOLD])
def test_reasoning_alone_is_no_turn(item: Item) -> None:
    twice = Message("user", f"{ASKED.content}\n\n{ASKED.content}")
    assert conversation(None, [USER, item, USER], state()) == (twice,)


def test_messages_in_a_row_are_one_turn_with_the_instructions() -> None:
    items = [{"role": "developer", "content": text} for text in ("Be brief.", "", "Be kind.")]
    turns = conversation("Be right.", [*items, USER, {"role": "user", "content": "Now?"}], state())
    assert turns == (
        Message("system", "Be right.\n\nBe brief.\n\nBe kind."),
        Message("user", "What time is it?\n\nNow?"),
    )


@pytest.mark.parametrize(
    ("items", "param", "told"),
    [
        ([CALL], "input", "'call_1' has no output"),
        ([CALL, ALSO, OUTPUT], "input", "'call_2' has no output"),
        ([OUTPUT], "input", "no function_call before the output has the call_id 'call_1'"),
        ([OUTPUT, CALL], "input", "no function_call before"),
        ([CALL, OUTPUT, ALSO_OUTPUT], "input", "'call_2'"),
        ([CALL | {"arguments": "[]"}, OUTPUT], "input[0].arguments", "JSON text of an object"),
        ([CALL | {"arguments": {}}, OUTPUT | {"output": 5}], "input[1].output", "must be a text"),
        ([CALL | {"arguments": {"zone": 1}}], "input[0].arguments", "JSON text of an object"),
        ([CALL | {"name": None}], "input[0].name", "must be a text"),
        ([CALL | {"call_id": ""}], "input[0].call_id", "must be a text"),
        ([{"type": "function_call_output", "output": "x"}], "input[0].call_id", "must be a text"),
        (
            [CALL, OUTPUT | {"output": [{"type": "input_image", "image_url": "x"}]}],
            "input[1].output[0]",
            "input_image",
        ),
        ([UNTOLD | {"encrypted_content": 5}], "input[0].encrypted_content", "must be a text"),
        ([THOUGHT | {"content": [{"type": "x"}]}], "input[0].content[0]", "'x' cannot be read"),
        ([{"type": "item_reference"}], "input[0].id", "must be the id"),
        ([{"type": "custom_tool_call"}], "input[0].type", "send messages and calls"),
    ],
)
def test_what_cannot_be_read_is_named(items: list[Item], param: str, told: str) -> None:
    with pytest.raises(ApiError) as refused:
        conversation(None, items, state())
    assert (refused.value.status, refused.value.param) == (400, param)
    assert told in refused.value.message


def sealed(item: Item, text: str) -> Item:
    return item | {"encrypted_content": state().signed(text)}


def test_signed_reasoning_comes_before_what_stands_beside_it() -> None:
    turn = conversation(None, [sealed(THOUGHT, "c"), CALL, OUTPUT], state())[0]
    assert turn.reasoning == "c"


@pytest.mark.parametrize("items", [[CALL, OUTPUT], [USER]])
def test_reasoning_that_was_changed_is_refused_even_where_it_is_not_used(items: list[Item]) -> None:
    changed = THOUGHT | {"encrypted_content": "gAAAAABo"}
    with pytest.raises(ApiError) as refused:
        conversation(None, [changed, *items], state())
    error = refused.value
    assert (error.status, error.code) == (400, "invalid_encrypted_content")
    assert error.param == "input[0].encrypted_content"


@pytest.mark.parametrize("typed", [{"type": "item_reference"}, {"type": None}, {}])
def test_a_reference_stands_for_an_item_of_its_owner(typed: Item) -> None:
    recent = RecentItems()
    state(recent).keep([THOUGHT | {"id": "rs_9"}, CALL])
    items = [{"id": "rs_9"} | typed, {"type": "item_reference", "id": "fc_1"}, OUTPUT]
    turns = conversation(None, [USER, *items], state(recent))
    assert turns == (ASKED, Message("assistant", "", (CALLED,), reasoning="a"), NOON)
    with pytest.raises(ApiError) as refused:
        conversation(None, [USER, *items], state(recent, "bob"))
    error = refused.value
    assert (error.status, error.param, error.kind) == (404, "input", "invalid_request_error")
    assert "input[1]: an item with the id 'rs_9' is not kept" in error.message


def test_reasoning_without_a_text_is_as_it_is_kept() -> None:
    recent = RecentItems()
    state(recent).keep([THOUGHT | {"id": "rs_1"}])
    for item, reasoning in (
        (UNTOLD, "a"),
        (UNTOLD | {"id": "rs_2"}, ""),
        (UNTOLD | {"id": 1}, ""),
        (SUMMARY | {"id": "rs_1"}, "b"),
        (sealed(UNTOLD, "c"), "c"),
    ):
        turns = conversation(None, [item, CALL, OUTPUT], state(recent))
        assert turns[0].reasoning == reasoning


def test_what_items_refer_to_is_as_bounded_as_a_body() -> None:
    recent = RecentItems()
    state(recent).keep([said("x" * 900)])
    reference = {"type": "item_reference", "id": "msg_1"}
    assert len(conversation(None, [reference], state(recent, most=1100))[0].content) == 900
    signed = sealed(UNTOLD, "x" * 900)
    assert conversation(None, [signed, CALL, OUTPUT], state(most=900))[0].reasoning == "x" * 900
    for items, most in (
        ([reference, reference], 1100),
        ([signed], 899),
        ([signed, signed], 1799),
        ([reference, signed], 1100),
    ):
        with pytest.raises(ApiError, match="too long") as refused:
            conversation(None, items, state(recent, most=most))
        assert (refused.value.status, refused.value.param) == (400, "input")
