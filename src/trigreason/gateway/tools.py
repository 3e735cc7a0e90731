"""The tools of a request, and the calls that clients get."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trigreason.engines.tool_calls import CallReader
from trigreason.engines.tool_forms import ToolForm
from trigreason.engines.tool_scans import WrittenCall, as_arguments
from trigreason.events import AnswerText, Event
from trigreason.gateway.errors import invalid, unsupported
from trigreason.reasoning import Author, Tool, ToolCall

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The models call a tool; ``index`` counts the calls of an answer."""

    index: int
    call: ToolCall


GatewayEvent = Event | ToolCalled
"""What an answer is rendered from."""


def tools_of(given: Any, choice: Any) -> tuple[Tool, ...]:
    """The tools that the models are offered: none if ``tool_choice`` is "none".

    Raises:
        ApiError: a tool is no function with a name and a schema.
    """
    if given is None:
        return ()
    if not isinstance(given, list):
        raise invalid("tools: must be a list of tools", "tools")
    tools = apart(_tool(each, f"tools[{index}]") for index, each in enumerate(given))
    return () if choice == "none" else tools


def apart(tools: Iterable[Tool]) -> tuple[Tool, ...]:
    """The tools. Raises ApiError if two have the same name."""
    tools = tuple(tools)
    if len({tool.name for tool in tools}) < len(tools):
        raise invalid("tools: two tools have the same name", "tools")
    return tools


def _tool(given: Any, where: str) -> Tool:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind != "function":
        raise unsupported(where, f"a tool of type {str(kind)[:_SHOWN]!r} cannot be called here")
    return function_tool(given.get("function"), f"{where}.function")


def function_tool(function: Any, where: str) -> Tool:
    """The tool of a function, which is at ``where`` in the request.

    Raises:
        ApiError: it has no name, or its parameters are no schema.
    """
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        field = f"{where}.name"
        raise invalid(f"{field}: a function needs a name", field)
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        field = f"{where}.parameters"
        raise invalid(f"{field}: must be a JSON schema", field)
    described = {
        "name": name,
        "description": function.get("description") or "",
        "parameters": parameters or {"type": "object", "properties": {}},
    }
    text = json.dumps({"type": "function", "function": described}, ensure_ascii=False)
    _check_text(text, where)
    return Tool(name, text)


def calls_of(given: Any, where: str) -> tuple[ToolCall, ...]:
    """The calls of an assistant's earlier turn. Raises ApiError if they cannot be read."""
    return tuple(_call(each, f"{where}[{index}]") for index, each in enumerate(given or ()))


def _call(given: Any, where: str) -> ToolCall:
    call = given if isinstance(given, dict) else {}
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    name, its_id = function.get("name"), call.get("id")
    if not isinstance(name, str) or not isinstance(its_id, str):
        raise invalid(f"{where}: a call has an id and a function with a name", where)
    return earlier_call(its_id, name, function.get("arguments"), f"{where}.function.arguments")


def earlier_call(its_id: str, name: str, arguments: Any, where: str) -> ToolCall:
    """A call of an earlier turn, whose arguments are at ``where``.

    Raises:
        ApiError: the arguments are not the JSON text of an object.
    """
    try:
        text = as_arguments(json.loads(arguments or "{}"))
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid(f"{where}: must be the JSON text of an object", where) from error
    _check_text(its_id + name, where)
    return ToolCall(its_id, name, text)


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{where}: holds half a character (a lone surrogate)", where) from error


def new_call(name: str, arguments: str) -> ToolCall:
    """A call with a new id: nine letters and digits, the only ids that Mistral's templates take."""
    return ToolCall(secrets.token_hex(5)[:9], name, arguments)


class CalledTools:
    """Takes an answer's text and gives it on with the calls in it as events of their own.

    Without ``parallel`` the answer ends behind its first call; ``is_over`` says so.
    """

    def __init__(
        self, tools: tuple[Tool, ...], forms: Mapping[Author, ToolForm], *, parallel: bool
    ) -> None:
        functions = [json.loads(tool.definition)["function"] for tool in tools]
        schemas = {each["name"]: each["parameters"] for each in functions}
        self._reader = CallReader(forms.values(), schemas) if tools else None
        self._parallel = parallel
        self.count = 0

    @property
    def is_over(self) -> bool:
        return bool(self.count) and not self._parallel

    def push(self, author: Author, text: str) -> Iterator[GatewayEvent]:
        """Take text; yield what is certain."""
        yield from self._told(author, self._reader.push(text) if self._reader else [text])

    def finish(self, author: Author) -> Iterator[GatewayEvent]:
        """The answer is complete: yield the rest."""
        yield from self._told(author, self._reader.finish() if self._reader else [])

    def _told(self, author: Author, pieces: Sequence[str | WrittenCall]) -> Iterator[GatewayEvent]:
        for piece in pieces:
            if self.is_over:
                return
            if not isinstance(piece, str):
                yield ToolCalled(self.count, new_call(*piece))
                self.count += 1
            elif piece:
                yield AnswerText(author, piece)
