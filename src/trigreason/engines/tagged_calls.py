"""Reads calls of tools between tags: JSON, or a function with elements for its arguments.

<tool_call> {"name": …, "arguments": {…}} </tool_call>                      Hermes, Qwen
<tool_call> <function=…> <parameter=…>…</parameter> </function> </tool_call>  Qwen3-Coder, Seed
<tool_call>… <arg_key>…</arg_key> <arg_value>…</arg_value> </tool_call>     GLM
"""

from __future__ import annotations

import re
from typing import Any

from trigreason.engines.guides import strict_json
from trigreason.engines.tool_scans import (
    PENDING,
    Pending,
    Scanned,
    Schemas,
    WrittenCall,
    as_arguments,
    json_calls,
    skipped,
)

FENCE = "```json"
"""What a code block with JSON begins with."""

_ENDS = r"\s*+</(?:seed:)?tool_call>"
_FUNCTION = re.compile(rf"<function=([^>\n]*)>(.*?)</function>{_ENDS}", re.DOTALL)
_UNCLOSED = re.compile(r"<function=([^>\n]*)>(.*)</function>", re.DOTALL)
_PARAMETER = re.compile(r"\s*<parameter=([^>\n]*)>\n?(.*?)\n?</parameter>\s*", re.DOTALL)
_NAME = re.compile(r"([\w.-]+)\s*")
_PAIRS = re.compile(rf"([\w.-]+)\s*+(|<arg_key>.*?</arg_value>){_ENDS}", re.DOTALL)
_PAIR = re.compile(r"\s*<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>\s*", re.DOTALL)


def scan_tagged(
    text: str, start: int, schemas: Schemas, is_complete: bool
) -> Scanned | Pending | None:
    """What follows an opening tag, or a fence.

    Qwen2.5-Coder writes its calls into code blocks, whatever its template says. Such a block is a
    call only if it has ``arguments``.
    """
    if text.endswith(FENCE, 0, start):
        scanned = json_calls(text, start, schemas, is_complete, opens="{", closing="```")
        is_call = not isinstance(scanned, Scanned) or '"arguments"' in text[start : scanned.end]
        return scanned if is_call else None
    at = skipped(text, start)
    if text.startswith("{", at) or at == len(text):
        return json_calls(text, start, schemas, is_complete, opens="{", closing="</tool_call>")
    if not _may_begin(text, at):
        return None
    if found := _FUNCTION.match(text, at) or (_UNCLOSED.match(text, at) if is_complete else None):
        call = _call(found[1], found[2], _PARAMETER, schemas)
    elif found := _PAIRS.match(text, at):
        call = _call(found[1], found[2], _PAIR, schemas)
    else:
        return None if is_complete else PENDING
    return call and Scanned((call,), found.end())


def _may_begin(text: str, at: int) -> bool:
    """Whether a function, or its name alone, begins at an index."""
    name = _NAME.match(text, at)
    begins = ("<arg_key>", "</tool_call>") if name else ("<function=",)
    at = name.end() if name else at
    return any(begin.startswith(text[at : at + len(begin)]) for begin in begins)


def _call(name: str, body: str, argument: re.Pattern[str], schemas: Schemas) -> WrittenCall | None:
    """A call with its arguments as elements; a value is a text where its schema says so."""
    if name not in schemas:
        return None
    properties = schemas[name].get("properties")
    arguments: dict[str, Any] = {}
    at = 0
    while found := argument.match(body, at):
        key, value = found.groups()
        schema = properties.get(key) if isinstance(properties, dict) else None
        is_text = isinstance(schema, dict) and schema.get("type") == "string"
        arguments[key] = value if is_text else _value(value)
        at = found.end()
    if body[at:].strip():
        return None
    try:
        return WrittenCall(name, as_arguments(arguments))
    except (ValueError, RecursionError):
        return None


def _value(text: str) -> Any:
    try:
        return strict_json(text)
    except (ValueError, RecursionError):
        return text
