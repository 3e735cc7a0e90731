"""A call that the client forces: the answer is JSON under a guide, and becomes one call.

So it needs no form of calls, and its arguments are valid under the tool's schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from trigreason.engines.guides import Guide, SchemaInvalid
from trigreason.engines.tool_scans import as_arguments
from trigreason.events import AnswerText
from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.tools import GatewayEvent, ToolCalled, new_call
from trigreason.reasoning import Author, Tool


class ForcedCall(NamedTuple):
    """The guide of an answer that must be a call, and OpenAI's ``finish_reason`` of it.

    That is "stop" where the client names the function, as in OpenAI's API.
    """

    guide: Guide
    finish_reason: Literal["tool_calls", "stop"] = "tool_calls"


def forced_call(choice: Any, tools: Sequence[Tool]) -> ForcedCall | None:
    """The call that OpenAI's ``tool_choice`` forces; None if the models may choose.

    Raises:
        ApiError: it names no offered tool, or a schema cannot bind the call.
    """
    if choice in (None, "auto", "none"):
        return None
    if choice == "required":
        return forced_among(tools)
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or choice.get("type") != "function":
        raise unsupported("tool_choice", "send auto, none, required or the name of a function")
    return forced_among(tools, name)._replace(finish_reason="stop")


def forced_among(tools: Sequence[Tool], name: str | None = None) -> ForcedCall:
    """A call of any of the tools, or of the one with this name. Raises ApiError, as above."""
    possible = [tool for tool in tools if name in (None, tool.name)]
    if not possible:
        raise invalid("tool_choice: no such tool is offered", "tool_choice")
    definitions: dict[str, Any] = {}
    calls = [_call_schema(tool, f"tool_{at}", definitions) for at, tool in enumerate(possible)]
    schema: dict[str, Any] = calls[0] if len(calls) == 1 else {"anyOf": calls}
    try:
        return ForcedCall(Guide(schema | ({"$defs": definitions} if definitions else {})))
    except SchemaInvalid as error:
        what = f"tools: their schemas cannot bind the call: {error}"
        raise invalid(what[:500], "tools", "invalid_json_schema") from error


def _call_schema(tool: Tool, key: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a call; a tool's schema with references in it goes into ``definitions``."""
    parameters: dict[str, Any] = json.loads(tool.definition)["function"]["parameters"]
    arguments = parameters | {"type": "object"}
    if (moved := _moved(arguments, f"#/$defs/{key}")) != arguments:
        definitions[key] = moved
        arguments = {"$ref": f"#/$defs/{key}"}
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(schema: Any, root: str) -> Any:
    """A schema whose references to itself hold where its root is at ``root``."""
    if isinstance(schema, list):
        return [_moved(each, root) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: root + value[1:]
        if key == "$ref" and isinstance(value, str) and value.startswith("#")
        else _moved(value, root)
        for key, value in schema.items()
    }


class ForcedCalls:
    """Takes an answer under the guide of a :class:`ForcedCall` and gives it on as one call.

    An answer that a limit cut off stays text.
    """

    is_over = False

    def __init__(self, guide: Guide) -> None:
        self._guide = guide
        self._text = ""
        self.count = 0

    def push(self, author: Author, text: str) -> Iterator[GatewayEvent]:
        """Take text; nothing is certain before its end."""
        self._text += text
        yield from ()

    def finish(self, author: Author) -> Iterator[GatewayEvent]:
        """The answer is complete: yield the call."""
        if self._guide.problem(self._text) is None:
            call = json.loads(self._text)
            yield ToolCalled(0, new_call(call["name"], as_arguments(call["arguments"])))
            self.count = 1
        elif self._text:
            yield AnswerText(author, self._text)
