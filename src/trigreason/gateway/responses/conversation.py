"""Converts the Responses API's input items to the turns of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.texts import plain_text
from trigreason.reasoning import Message

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
FIELDS = frozenset({"type", "role", "content", "id", "status", "phase"})
"""A message's fields, whether a client wrote it or sends back one of ours; others are ignored."""

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


def unknown_fields(items: Any) -> Iterator[str]:
    """The fields that messages of ``input`` have and that are ignored, such as ``input.name``."""
    for item in items if isinstance(items, list) else ():
        if item.get("type", "message") == "message":
            yield from (f"input.{key}" for key in item if key not in FIELDS and item[key])


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
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    return Message(ROLES[role], plain_text(item.get("content"), f"{where}.content", TEXTS))
