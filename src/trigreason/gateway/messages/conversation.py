"""Converts Anthropic's system prompt and turns to the messages of a conversation.

Earlier thinking is left out of the prompt, except before calls of tools, as in the other APIs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from trigreason.engines.tool_scans import as_arguments
from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.lenient import LenientModel
from trigreason.gateway.texts import checked_text
from trigreason.reasoning import Message, ToolCall

Content = str | list[dict[str, Any]]

ATTRIBUTION = "x-anthropic-billing-header:"
"""Claude Code begins its system prompt with such a block, for Anthropic's books. It differs from
request to request, so that nothing after it would be found in a prefix cache."""

_BETWEEN = "\n\n"
"""Between blocks that stand on their own, and between turns of the same role."""

_SHOWN = 40


class MessagesTurn(LenientModel):
    """A turn; other fields than these have no effect."""

    role: Literal["user", "assistant", "system"]
    content: Content


def conversation(system: Content | None, turns: Sequence[MessagesTurn]) -> tuple[Message, ...]:
    """The system prompt and the turns; consecutive turns of one role become one.

    Raises:
        ApiError: a block holds what these models cannot read.
    """
    messages = [*_system(system)]
    for index, turn in enumerate(turns):
        for message in _messages(turn.content, f"messages[{index}].content", turn.role):
            if messages and messages[-1].role == message.role != "tool":
                message = _joined(messages.pop(), message)
            messages.append(message)
    return tuple(messages)


def _joined(first: Message, second: Message) -> Message:
    return Message(
        first.role,
        _BETWEEN.join(part for part in (first.content, second.content) if part),
        first.tool_calls + second.tool_calls,
        reasoning=first.reasoning + second.reasoning,
    )


def _system(system: Content | None) -> Iterator[Message]:
    if isinstance(system, list) and system and isinstance(text := system[0].get("text"), str):
        system = system[1:] if text.startswith(ATTRIBUTION) else system
    if system:
        yield from _messages(system, "system", "system")


def _messages(content: Content, where: str, role: str) -> list[Message]:
    """A turn's results of tools, and then what it says and calls."""
    if isinstance(content, str):
        return [Message(role, checked_text(content, where))]
    texts: list[str] = []
    thinking: list[str] = []
    calls: list[ToolCall] = []
    results: list[Message] = []
    for index, block in enumerate(content):
        at = f"{where}[{index}]"
        match block.get("type"), role:
            case "text", _:
                texts.append(_text(block, "text", at))
            case "document", "user":
                texts.append(_document(block, at))
            case "thinking", "assistant":
                thinking.append(_text(block, "thinking", at))
            case "redacted_thinking", "assistant":
                pass
            case "tool_use", "assistant":
                calls.append(_call(block, at))
            case "tool_result", "user":
                results.append(_result(block, at))
            case kind, _:
                raise _unreadable(kind, at)
    between = "" if role == "assistant" else _BETWEEN  # a model's text may be cut into blocks
    text = between.join(text for text in texts if text)
    if results and not text:
        return results
    reasoning = "".join(thinking) if calls else ""
    return [*results, Message(role, text, tuple(calls), reasoning=reasoning)]


def _text(block: dict[str, Any], field: str, where: str) -> str:
    text = block.get(field)
    if not isinstance(text, str):
        raise invalid(f"{where}.{field}: must be a text", f"{where}.{field}")
    return checked_text(text, f"{where}.{field}")


def _call(block: dict[str, Any], where: str) -> ToolCall:
    try:
        arguments = as_arguments(block.get("input", {}))
    except (ValueError, RecursionError) as error:
        raise invalid(f"{where}.input: must be a JSON object", f"{where}.input") from error
    return ToolCall(_text(block, "id", where), _text(block, "name", where), arguments)


def _result(block: dict[str, Any], where: str) -> Message:
    content = block.get("content", "")
    place = f"{where}.content"
    if isinstance(content, list):
        parts = [_part(part, f"{place}[{index}]") for index, part in enumerate(content)]
        content = _BETWEEN.join(parts)
    elif not isinstance(content, str):
        raise invalid(f"{place}: must be a text or a list of blocks", place)
    failed = "error: " if block.get("is_error") is True else ""
    its_call = _text(block, "tool_use_id", where)
    return Message("tool", failed + checked_text(content, place), tool_call_id=its_call)


def _part(part: Any, where: str) -> str:
    if not isinstance(part, dict):
        raise invalid(f"{where}: must be an object with a type", where)
    if part.get("type") != "text":
        raise _unreadable(part.get("type"), where)
    return _text(part, "text", where)


def _document(block: dict[str, Any], where: str) -> str:
    source = block.get("source")
    if not isinstance(source, dict) or source.get("type") != "text":
        raise unsupported(where, "only a document whose source is text can be read")
    return _text(source, "data", f"{where}.source")


def _unreadable(kind: Any, where: str) -> Exception:
    if kind == "image":
        return unsupported(where, "these models read text only; leave the image out")
    what = f"a block of type {str(kind)[:_SHOWN]!r} cannot be read here; send text"
    return unsupported(where, what)
