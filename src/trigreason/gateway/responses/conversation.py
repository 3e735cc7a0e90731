"""The turns of a conversation, out of the items in which the Responses API sends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.texts import plain_text
from trigreason.reasoning import Message

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
FIELDS = frozenset({"type", "role", "content", "id", "status", "phase"})
"""Of a message, as clients write one or send back one that they got."""

TEXTS = ("input_text", "output_text")
_SHOWN = 40


def conversation(instructions: str | None, items: Any) -> tuple[Message, ...]:
    """``input`` as messages, the instructions before it.

    Earlier reasoning is left out, as it is of every prompt.

    Raises:
        ApiError: an item is no message, or holds more than text.
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
        told = f"{where}: a message has no field {unknown[:_SHOWN]!r}"
        raise invalid(told, where, "unknown_field")
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    return Message(ROLES[role], plain_text(item.get("content"), f"{where}.content", TEXTS))
