"""A guide binds a text to a JSON schema: servers apply it, and the text is checked here.

A server's guided decoding covers a part of JSON Schema, and some servers silently drop a schema
that they cannot compile. So the text is validated in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

MAX_BYTES = 32 * 2**10
"""The longest schema, as JSON; its text is part of the prompt."""

MAX_DEPTH = 64
"""Servers compile schemas recursively, some of them inside this process."""

ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
"""The schema of what OpenAI calls ``json_object``."""

_FENCED = re.compile(r"```\w*\s*\n(.*?)\n?\s*```.*", re.DOTALL)
_SHOWN = 200


class SchemaInvalid(ValueError):
    """The schema cannot be used; ``path`` leads to the fault (keys and indices)."""

    def __init__(self, what: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(what)
        self.path = path


@dataclass(frozen=True)
class Guide:
    """What a text must be: one JSON value that is valid under ``json_schema``.

    Keywords are those of the draft that ``$schema`` names, or 2020-12. A ``$ref`` must lead to the
    schema itself: nothing is fetched.

    Raises:
        SchemaInvalid: it is not a schema, is too long or too deep, or has a regular expression with
            look-around or back-references, which cannot be matched in linear time.
    """

    json_schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        if _depth_exceeds(self.json_schema, MAX_DEPTH):
            raise SchemaInvalid(f"it is nested more than {MAX_DEPTH} levels deep")
        size = len(self.text.encode())
        if size > MAX_BYTES:
            raise SchemaInvalid(f"it has {size:,} bytes; at most {MAX_BYTES:,} are possible")
        object.__setattr__(self, "_validator", _validator(self.json_schema))

    @property
    def text(self) -> str:
        """The schema as compact JSON."""
        return json.dumps(self.json_schema, ensure_ascii=False, separators=(",", ":"))

    @property
    def is_any_object(self) -> bool:
        return self.json_schema == ANY_OBJECT

    def problem(self, text: str) -> str | None:
        """Why a text is not what it must be, in one line; None if it is."""
        try:
            value = strict_json(text)
        except (ValueError, RecursionError) as error:
            return f"it is not JSON ({error})"
        validator: jsonschema_rs.Validator = self._validator  # type: ignore[attr-defined]
        first = next(iter(validator.iter_errors(value)), None)
        if first is None:
            return None
        where = "".join(f"[{json.dumps(part, ensure_ascii=False)}]" for part in first.instance_path)
        return f"{where or 'the value'}: {first.message}"[:_SHOWN]


def unfenced(text: str) -> str:
    """A text without white space around it; if it begins with a code block, the content."""
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    return fenced[1].strip() if fenced else text


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            dict(schema), retriever=_fetch_nothing, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaInvalid(error.message[:_SHOWN], tuple(error.instance_path)) from error
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaInvalid(str(error).splitlines()[0][:_SHOWN]) from error


def _fetch_nothing(uri: str) -> Any:
    raise ValueError("nothing is fetched; put it into $defs")


def strict_json(text: str) -> Any:
    """The JSON value in ``text``. Raises ValueError or RecursionError if it is none (NaN, say)."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _depth_exceeds(value: Any, most: int) -> bool:
    level: list[Any] = [value]
    for _ in range(most):
        parts = [each for each in level if isinstance(each, Mapping | list)]
        level = [
            inner
            for each in parts
            for inner in (each.values() if isinstance(each, Mapping) else each)
        ]
        if not level:
            return False
    return True
