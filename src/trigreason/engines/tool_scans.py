"""Reads the calls of tools in a model's text, form by form.

A scan reads from behind a form's marker: it gives the calls and where they end, ``None`` for what
is no call, or ``PENDING`` if more text decides. What it says of a text it also says of every longer
one, so the result does not depend on how a stream is cut up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from trigreason.engines.guides import strict_json


class WrittenCall(NamedTuple):
    """A call in a model's text; ``arguments`` is the JSON text of an object."""

    name: str
    arguments: str


class Scanned(NamedTuple):
    """Calls that were read, and the index behind the last one."""

    calls: tuple[WrittenCall, ...]
    end: int


class Pending:
    """More text decides whether this is a call."""


PENDING: Final = Pending()
Schemas = Mapping[str, Mapping[str, Any]]
"""The JSON schemas of the parameters of the tools, by the tool's name."""

Scan = Callable[[str, int, Schemas, bool], Scanned | Pending | None]
"""Reads calls from an index behind the marker; the last argument: the text is complete."""


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|["{}\[\]]', re.DOTALL)
_SPACE = re.compile(r"\s*")


def _json_end(text: str, start: int) -> int | None:
    """The index behind the object or list at ``start``; None if its brackets are still open."""
    depth = 0
    for piece in _BRACKETS.finditer(text, start):
        if piece[0] == '"':
            return None
        if piece[0] in "{[":
            depth += 1
        elif piece[0] in "}]":
            depth -= 1
            if not depth:
                return piece.end()
    return None


def as_arguments(value: Any) -> str:
    """The JSON text of a call's arguments. Raises ValueError if they are no object in JSON."""
    if not isinstance(value, dict):
        raise ValueError("the arguments are no object")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    text.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return text


def _call(value: Any, schemas: Schemas) -> WrittenCall:
    """The call that an object describes. Raises ValueError if it is no call of a known tool.

    Llama 3 may write it as its template shows the tools: within an object under ``function``.
    """
    if isinstance(value, dict) and "name" not in value:
        value = value.get("function")
    if not isinstance(value, dict) or value.get("name") not in schemas:
        raise ValueError("the object names no tool")
    arguments: Any = next((value[key] for key in ("arguments", "parameters") if key in value), {})
    return WrittenCall(value["name"], as_arguments(arguments))


def _objects(text: str, start: int, end: int, schemas: Schemas) -> tuple[WrittenCall, ...] | None:
    """The calls in the JSON object, or list of objects, between two indices; None if one fails."""
    try:
        value = strict_json(text[start:end])
        calls = value if isinstance(value, list) else [value]
        return tuple(_call(each, schemas) for each in calls) or None
    except (TypeError, ValueError, RecursionError):
        return None


def _behind(text: str, end: int, closing: str, is_complete: bool) -> int | Pending:
    """The index behind ``closing`` if it follows after white space, else ``end``."""
    at = skipped(text, end)
    if text.startswith(closing, at):
        return at + len(closing)
    undecided = closing.startswith(text[at:]) and not is_complete
    return PENDING if undecided else end


def skipped(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None, "the pattern matches nothing too"
    return space.end()


def json_calls(
    text: str, start: int, schemas: Schemas, is_complete: bool, *, opens: str, closing: str
) -> Scanned | Pending | None:
    """Calls in JSON that begins with one of ``opens``; ``closing`` may follow them."""
    at = skipped(text, start)
    if at == len(text):
        return None if is_complete else PENDING
    if text[at] not in opens:
        return None
    end = _json_end(text, at)
    if end is None:
        return None if is_complete else PENDING
    calls = _objects(text, at, end, schemas)
    if calls is None:
        return None
    behind = _behind(text, end, closing, is_complete)
    return behind if isinstance(behind, Pending) else Scanned(calls, behind)


def scan_llama(
    text: str, start: int, schemas: Schemas, is_complete: bool
) -> Scanned | Pending | None:
    """Objects, with a semicolon between several; the marker of a bare one is its bracket."""
    at = start - 1 if text[start - 1] == "{" else start
    return json_calls(text, at, schemas, is_complete, opens="{", closing=";")


_NAMED = re.compile(r"([\w.-]+)(?:\[CALL_ID\][\w-]*)?(?:\[ARGS\])?\s*(?=\{)")
_NAME_BEGUN = re.compile(r"[\w.-]+(?:\[[\w\]-]*)*\s*$")


def scan_mistral(
    text: str, start: int, schemas: Schemas, is_complete: bool
) -> Scanned | Pending | None:
    """A list of objects, or a name and its arguments."""
    at = skipped(text, start)
    named = _NAMED.match(text, at)
    if named is None:
        if not is_complete and _NAME_BEGUN.match(text, at):
            return PENDING
        return json_calls(text, at, schemas, is_complete, opens="[{", closing="")
    end = _json_end(text, named.end())
    if end is None:
        return None if is_complete else PENDING
    try:
        value = {"name": named[1], "arguments": strict_json(text[named.end() : end])}
        return Scanned((_call(value, schemas),), end)
    except (ValueError, RecursionError):
        return None


def _token(words: str, space: str = "▁") -> str:
    bar = "\N{FULLWIDTH VERTICAL LINE}"
    return f"<{bar}{words.replace(' ', space)}{bar}>"


CALLS_BEGIN, CALLS_END = _token("tool calls begin"), _token("tool calls end")
MISWRITTEN_BEGINS = (
    *(_token("tool calls begin", space) for space in ("_", " ", r"\_")),
    _token("tool calls"),
)
"""What models distilled from DeepSeek-R1 write for it, because it is no token of theirs."""

CALL_BEGIN, CALL_END = _token("tool call begin"), _token("tool call end")
SEPARATOR = _token("tool sep")
_DEEPSEEK_CALL = re.compile(
    rf"\s*(?:(?:{CALL_BEGIN})?function{SEPARATOR}(?=[^\s{{])|{CALL_BEGIN})"
    rf"(?P<name>[^\n<{{]+?)(?:{SEPARATOR}|\n)\s*(?:```json)?\s*(?=\{{)"
)
_DEEPSEEK_END = re.compile(rf"\s*(?:```)?\s*{CALL_END}")


def scan_deepseek(
    text: str, start: int, schemas: Schemas, is_complete: bool
) -> Scanned | Pending | None:
    """A block of calls, read when its end is there; a turn may end without it.

    Where the name follows ``function``, DeepSeek-R1 may leave out what begins a call.
    """
    stop = text.find(CALLS_END, start)
    if stop < 0 and not is_complete:
        return PENDING
    at, last = start, stop if stop >= 0 else len(text)
    calls = []
    while head := _DEEPSEEK_CALL.match(text, at, last):
        end = _json_end(text[:last], head.end())
        tail = _DEEPSEEK_END.match(text, end, last) if end is not None else None
        if tail is None:
            return None
        try:
            arguments = strict_json(text[head.end() : end])
            calls.append(_call({"name": head["name"], "arguments": arguments}, schemas))
        except (ValueError, RecursionError):
            return None
        at = tail.end()
    if not calls or text[at:last].strip():
        return None
    return Scanned(tuple(calls), stop + len(CALLS_END) if stop >= 0 else last)
