"""Converts the Responses API's input items to the turns of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.texts import plain_text
from trigreason.reasoning import Message

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
FIELDS = frozenset({"type", "role", "content", "id", "status", "phase"})
"""The fields of a message, whether a client wrote it or sends back one of ours."""

TEXTS = ("input_text", "output_text")
_SHOWN = 40


def conversation(instructions: str | None, items: Any) -> tuple[Message, ...]:
    """The instructions and ``input`` as messages, without earlier reasoning.

    Raises:
        ApiError: an item is neither a message nor reasoning, or holds more than text.
    """
    before = () if instructions is None else (Message("system", instructions),)
    if isinstance(items, str):
        return (*before, Message("user", plain_text(items, "input", TEXTS)))
    if not isinstance(items, list) or not items:
        raise invalid("input: must be a text or a list of items", "input")
    return (*before, *_messages(items))


def _messages(items: list[Any]) -> Iterator[Message]:
    for index, item in enumerate(items):
        where = f"input[{index}]"
        if not isinstance(item, dict):
            raise invalid(f"{where}: must be an object with a role and content", where)
        kind = item.get("type", "message")
        if kind == "message":
            yield _message(item, where)
        elif kind != "reasoning":
            what = f"an item of type {str(kind)[:_SHOWN]!r} cannot be read; send messages"
            raise unsupported(f"{where}.type", what)


def _message(item: dict[str, Any], where: str) -> Message:
    unknown = next((key for key in item if key not in FIELDS), None)
    if unknown is not None:
        what = f"{where}: a message has no field {unknown[:_SHOWN]!r}"
        raise invalid(what, where, "unknown_field")
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    return Message(ROLES[role], plain_text(item.get("content"), f"{where}.content", TEXTS))
