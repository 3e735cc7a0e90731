"""Converts the Responses API's input items to the turns of a conversation.

Consecutive items of one role are one turn, as many chat templates want it: Codex sends several
messages of the developer and of the user. Earlier reasoning is left out of the prompt, except
before calls of tools, as in the other APIs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.responses.state import ResponseState
from trigreason.gateway.texts import checked_text, plain_text
from trigreason.gateway.tools import earlier_call
from trigreason.reasoning import Message, ToolCall

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
FIELDS = {
    "message": frozenset({"role", "content", "phase"}),
    "function_call": frozenset({"call_id", "name", "arguments"}),
    "function_call_output": frozenset({"call_id", "output"}),
    "reasoning": frozenset({"summary", "content", "encrypted_content"}),
    "item_reference": frozenset[str](),
}
"""The items that can be read, and their fields; others are ignored."""

_EVERYWHERE = frozenset({"type", "id", "status"})
TEXTS = ("input_text", "output_text")
_REASONING = ("reasoning_text", "summary_text")
_BETWEEN = "\n\n"
_SHOWN = 40


def conversation(instructions: str | None, items: Any, state: ResponseState) -> tuple[Message, ...]:
    """The instructions and ``input`` as messages.

    Raises:
        ApiError: an item is of no kind that can be read, or holds more than text; a call has no
            output, or an output no call before it; or what an item stands for is not kept.
    """
    before = () if instructions is None else (Message("system", instructions),)
    if isinstance(items, str):
        return (*before, Message("user", plain_text(items, "input", TEXTS)))
    if not isinstance(items, list) or not items:
        raise invalid("input: must be a text or a list of items", "input")
    parts = (_part(*each, state) for each in _placed(items, state))
    return tuple(_turns(part for part in (*before, *parts) if part is not None))


def unknown_fields(items: Any) -> Iterator[str]:
    """The fields that items of ``input`` have and that are ignored, such as ``input.name``."""
    for item in items if isinstance(items, list) else ():
        known = FIELDS[_kind(item)] | _EVERYWHERE
        yield from (f"input.{key}" for key in item if key not in known and item[key])


def _kind(item: dict[str, Any]) -> Any:
    refers = item.keys() - {"type"} == {"id"}
    return item.get("type") or ("item_reference" if refers else "message")


def _placed(items: list[Any], state: ResponseState) -> Iterator[tuple[dict[str, Any], str]]:
    """The items and their places, with those that references stand for."""
    for index, item in enumerate(items):
        where = f"input[{index}]"
        if not isinstance(item, dict):
            raise invalid(f"{where}: must be an object with a role and content", where)
        refers = _kind(item) == "item_reference"
        yield (state.item(item.get("id"), where) if refers else item), where


def _part(item: dict[str, Any], where: str, state: ResponseState) -> Message | None:
    """An item as a message, which may be a part of a turn; None for reasoning without a text."""
    match kind := _kind(item):
        case "message":
            return _message(item, where)
        case "reasoning":
            thought = _reasoning(item, where, state)
            return Message("assistant", "", reasoning=thought) if thought else None
        case "function_call":
            return Message("assistant", "", (_call(item, where),))
        case "function_call_output":
            text = plain_text(item.get("output"), f"{where}.output", TEXTS)
            return Message("tool", text, tool_call_id=_text(item, "call_id", where))
    what = f"an item of type {str(kind)[:_SHOWN]!r} cannot be read; send messages and calls"
    raise unsupported(f"{where}.type", what)


def _message(item: dict[str, Any], where: str) -> Message:
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    return Message(ROLES[role], plain_text(item.get("content"), f"{where}.content", TEXTS))


def _call(item: dict[str, Any], where: str) -> ToolCall:
    its_id, name = _text(item, "call_id", where), _text(item, "name", where)
    return earlier_call(its_id, name, item.get("arguments"), f"{where}.arguments")


def _text(item: dict[str, Any], field: str, where: str) -> str:
    text = item.get(field)
    if not isinstance(text, str) or not text:
        raise invalid(f"{where}.{field}: must be a text", f"{where}.{field}")
    return checked_text(text, f"{where}.{field}")


def _reasoning(item: dict[str, Any], where: str, state: ResponseState) -> str:
    """What was thought: as this gateway signed it, or else in plain text, or else as it is kept.

    LangChain sends back what it got of a stream, which is an id without a text.
    """
    if item.get("encrypted_content"):
        return state.reasoning(_text(item, "encrypted_content", where), where)
    thought, identity = _thought(item, where), item.get("id")
    if not thought and isinstance(identity, str) and (kept := state.kept(identity)):
        return _thought(kept, where)
    return thought


def _thought(item: dict[str, Any], where: str) -> str:
    field = "content" if item.get("content") else "summary"
    return plain_text(item.get(field) or "", f"{where}.{field}", _REASONING)


def _turns(parts: Iterable[Message]) -> Iterator[Message]:
    """The turns. Raises ApiError if a call has no output, or an output no call before it."""
    called: dict[str, int] = {}
    answered: set[str] = set()
    for same in _by_role(part for each in _by_role(parts) if _speaks(each) for part in each):
        if same[0].role == "tool":
            ids = [part.tool_call_id for part in same]
            if orphan := next((each for each in ids if each not in called), None):
                what = f"no function_call before the output has the call_id {orphan[:_SHOWN]!r}"
                raise invalid(f"input: {what}", "input")
            answered.update(ids)
            yield from sorted(same, key=lambda part: called[part.tool_call_id])
        else:
            turn = _joined(same)
            called |= {call.id: len(called) + at for at, call in enumerate(turn.tool_calls)}
            yield turn
    if missing := next((each for each in called if each not in answered), None):
        what = f"the function_call with the call_id {missing[:_SHOWN]!r} has no output"
        raise invalid(f"input: {what}", "input")


def _by_role(parts: Iterable[Message]) -> Iterator[list[Message]]:
    return (list(group) for _, group in groupby(parts, key=lambda part: part.role))


def _speaks(parts: list[Message]) -> bool:
    """Whether there is more than reasoning, as a limit may have cut it off."""
    return not all(part.reasoning for part in parts)


def _joined(parts: list[Message]) -> Message:
    """Parts of one role as one turn."""
    calls = tuple(call for part in parts for call in part.tool_calls)
    return Message(
        parts[0].role,
        _BETWEEN.join(part.content for part in parts if part.content),
        calls,
        reasoning="".join(part.reasoning for part in parts) if calls else "",
    )
