"""The tools of a request: functions can be called, and tools of other kinds are ignored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.forced_calls import ForcedCall, forced_call
from trigreason.gateway.tools import apart, function_tool
from trigreason.reasoning import Tool

CHOICES = (None, "auto", "none", "required")
_SHOWN = 40


class Offered(NamedTuple):
    """What may be called, what must be, and the ignored kinds, such as ``tools.web_search``."""

    tools: tuple[Tool, ...]
    forced: ForcedCall | None
    ignored: tuple[str, ...]


def offered(given: Sequence[Any], choice: Any) -> Offered:
    """The tools of a request with this ``tool_choice``.

    Raises:
        ApiError: a function has no name or no schema, or the choice is no offered function.
    """
    tools = apart(
        function_tool(tool, where) for tool, where in _placed(given) if tool["type"] == "function"
    )
    kinds = (tool["type"] for tool, _ in _placed(given))
    ignored = dict.fromkeys(f"tools.{kind[:_SHOWN]}" for kind in kinds if kind != "function")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        tools, choice = _allowed(tools, choice)
    elif isinstance(choice, dict) and choice.get("type") == "function":
        choice = {"type": "function", "function": {"name": choice.get("name")}}
    elif not (choice is None or choice in CHOICES):
        what = "send auto, none, required, allowed_tools or the name of a function"
        raise unsupported("tool_choice", what)
    forced = forced_call(choice, tools)
    return Offered(() if choice == "none" else tools, forced, tuple(ignored))


def repeated(given: Sequence[Any]) -> list[dict[str, Any]]:
    """The functions as a response repeats them."""
    fields = ("name", "description", "parameters", "strict")
    return [
        {"type": "function"} | {field: tool.get(field) for field in fields}
        for tool in given
        if tool["type"] == "function"
    ]


def _placed(given: Sequence[Any], field: str = "tools") -> Iterator[tuple[dict[str, Any], str]]:
    """The tools and their places in the request."""
    for index, tool in enumerate(given):
        where = f"{field}[{index}]"
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise invalid(f"{where}: must be an object with a type", where)
        yield tool, where


def _allowed(tools: Sequence[Tool], choice: dict[str, Any]) -> tuple[tuple[Tool, ...], str]:
    """The tools that ``allowed_tools`` leaves, and the choice among them."""
    mode, allowed = choice.get("mode"), choice.get("tools")
    if mode not in ("auto", "required") or not isinstance(allowed, list):
        what = "allowed_tools has a mode, which is auto or required, and a list of tools"
        raise invalid(f"tool_choice: {what}", "tool_choice")
    placed = _placed(allowed, "tool_choice.tools")
    names = [tool.get("name") for tool, _ in placed if tool["type"] == "function"]
    known = [tool.name for tool in tools]
    if any(name not in known for name in names):
        raise invalid("tool_choice: no such tool is offered", "tool_choice")
    return tuple(tool for tool in tools if tool.name in names), mode
