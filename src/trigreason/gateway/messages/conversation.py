"""Converts Anthropic's system prompt and turns to the messages of a conversation.

Earlier thinking is left out of the prompt, as in the other APIs. Calls of tools and their results
become text, in the form that Hermes and Qwen models are trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.lenient import LenientModel
from trigreason.gateway.texts import checked_text
from trigreason.reasoning import Message

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
        content = _content(turn.content, f"messages[{index}].content", turn.role)
        if messages and messages[-1].role == turn.role:
            parts = (messages.pop().content, content)
            content = _BETWEEN.join(part for part in parts if part)
        messages.append(Message(turn.role, content))
    return tuple(messages)


def _system(system: Content | None) -> Iterator[Message]:
    if isinstance(system, list) and system and isinstance(text := system[0].get("text"), str):
        system = system[1:] if text.startswith(ATTRIBUTION) else system
    if system:
        yield Message("system", _content(system, "system", "system"))


def _content(content: Content, where: str, role: str) -> str:
    if isinstance(content, str):
        return checked_text(content, where)
    texts = [_block(block, f"{where}[{index}]", role) for index, block in enumerate(content)]
    between = "" if role == "assistant" else _BETWEEN  # a model's text may be cut into blocks
    return between.join(text for text in texts if text)


def _block(block: dict[str, Any], where: str, role: str) -> str:
    match block.get("type"), role:
        case "text", _:
            return _text(block, "text", where)
        case (("thinking" | "redacted_thinking"), "assistant"):
            return ""
        case "tool_use", "assistant":
            return _call(block, where)
        case "tool_result", "user":
            return _result(block, where)
        case "document", "user":
            return _document(block, where)
        case kind, _:
            raise _unreadable(kind, where)


def _text(block: dict[str, Any], field: str, where: str) -> str:
    text = block.get(field)
    if not isinstance(text, str):
        raise invalid(f"{where}.{field}: must be a text", f"{where}.{field}")
    return checked_text(text, f"{where}.{field}")


def _call(block: dict[str, Any], where: str) -> str:
    arguments = block.get("input", {})
    if not isinstance(arguments, dict):
        raise invalid(f"{where}.input: must be an object", f"{where}.input")
    call = {"name": _text(block, "name", where), "arguments": arguments}
    written = checked_text(json.dumps(call, ensure_ascii=False), where)
    return f"\n<tool_call>\n{written}\n</tool_call>"


def _result(block: dict[str, Any], where: str) -> str:
    content = block.get("content", "")
    place = f"{where}.content"
    if isinstance(content, list):
        parts = [_part(part, f"{place}[{index}]") for index, part in enumerate(content)]
        content = _BETWEEN.join(parts)
    elif not isinstance(content, str):
        raise invalid(f"{place}: must be a text or a list of blocks", place)
    failed = "error: " if block.get("is_error") is True else ""
    return f"<tool_response>\n{failed}{checked_text(content, place)}\n</tool_response>"


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
