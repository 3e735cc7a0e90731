"""Earlier calls of tools and their results, for templates that do not take them as they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from trigreason.reasoning import Message

_SHORT_ID = re.compile("[a-zA-Z0-9]{9}")


def without_calls(messages: Iterable[Message]) -> list[Message]:
    """The conversation for a model that knows no tools: calls and results as Hermes' text.

    Results, and what the user says behind them, become one turn.
    """
    turns: list[Message] = []
    follows_result = False
    for message in messages:
        is_result = message.role == "tool"
        turn = _without_calls(message)
        if follows_result and turn.role == "user":
            turn = Message("user", f"{turns.pop().content}\n\n{turn.content}")
        turns.append(turn)
        follows_result = is_result
    return turns


def _without_calls(message: Message) -> Message:
    if message.role == "tool":
        return Message("user", f"<tool_response>\n{message.content}\n</tool_response>")
    if not message.tool_calls:
        return message
    calls = [
        f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n'
        "</tool_call>"
        for call in message.tool_calls
    ]
    return Message(message.role, "\n".join([message.content, *calls]).lstrip())


def with_short_ids(message: Message) -> Message:
    """The message with ids as Mistral's templates demand; the same id always becomes the same."""
    return message._replace(
        tool_calls=tuple(call._replace(id=_short_id(call.id)) for call in message.tool_calls),
        tool_call_id=_short_id(message.tool_call_id),
    )


def _short_id(given: str) -> str:
    if not given or _SHORT_ID.fullmatch(given):
        return given
    return hashlib.sha256(given.encode()).hexdigest()[:9]
