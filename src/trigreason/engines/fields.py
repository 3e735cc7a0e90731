"""Lenient decoding of the JSON of foreign servers.

An event of the expected form is decoded at once. In any other event, each field is decoded by
itself: a count with a fraction is rounded, a number outside JSON (NaN) is ignored, and a field of
the wrong type is left out as if it had not been sent. Only a text of the wrong type is an error,
since a piece of the answer would be lost silently.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import msgspec.inspect as shapes

Kind = TypeVar("Kind")

_SURROGATE = re.compile("[\ud800-\udfff]")

MATTERS = msgspec.Meta(extra={"matters": True})
"""Marks a field that raises an error if its value has the wrong type and is not null."""

Text = Annotated[str, MATTERS]
"""Text of the model."""

MOST = 2**53
"""Numbers above this are ignored."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""A number of tokens."""


class Unfit(ValueError):
    """Not an event, or one whose text is of the wrong type."""


class Events(Generic[Kind]):
    """Reads events of one type, a ``msgspec.Struct``. An event ``null`` is an empty one."""

    def __init__(self, kind: type[Kind]) -> None:
        self._strict = msgspec.json.Decoder(kind)
        self._shape = shapes.type_info(kind)

    def decode(self, payload: bytes) -> Kind:
        """The event in ``payload``. Raises Unfit if it cannot be read."""
        try:
            return self._strict.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            cause = error
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            raise Unfit(str(cause)) from cause
        if not isinstance(event, dict) and event is not None:
            raise Unfit(str(cause))
        return self.taken(event or {})

    def taken(self, event: dict[str, Any]) -> Kind:
        """The event from JSON that is decoded already. Raises Unfit as ``decode`` does."""
        fitting: Kind = _fitting(event, self._shape)
        return fitting


_NOTHING: Any = object()


def _fitting(value: Any, shape: shapes.Type) -> Any:
    """``value`` converted to ``shape``; ``_NOTHING`` if it does not fit."""
    match shape:
        case shapes.Metadata(type=inner):
            fitting = _fitting(value, inner)
            is_torn = isinstance(value, str) and _SURROGATE.search(value)
            if value is not None and (fitting is _NOTHING or is_torn):
                raise Unfit(f"{json.dumps(value)[:40]} is none of what stands there")
            return fitting
        case shapes.UnionType(types=types):
            if value is None and any(isinstance(option, shapes.NoneType) for option in types):
                return None
            fits = (_fitting(value, option) for option in _in_order(types))
            return next((fitting for fitting in fits if fitting is not _NOTHING), _NOTHING)
        case shapes.StructType(cls=kind, fields=fields) if isinstance(value, dict):
            fitting_fields = {
                field.name: fitting
                for field in fields
                if field.encode_name in value
                and (fitting := _fitting(value[field.encode_name], field.type)) is not _NOTHING
            }
            return kind(**fitting_fields)
        case shapes.NamedTupleType(cls=kind, fields=fields) if isinstance(value, list):
            items = [*value[: len(fields)], *[None] * (len(fields) - len(value))]
            pairs = zip(items, fields, strict=True)
            return kind(*(_or_none(_fitting(item, field.type)) for item, field in pairs))
        case shapes.ListType(item_type=item) if isinstance(value, list):
            return _items(value, item)
        case shapes.DictType(value_type=item) if isinstance(value, dict):
            return {name: _or_none(_fitting(entry, item)) for name, entry in value.items()}
        case shapes.AnyType():
            return value
        case shapes.StrType() if isinstance(value, str):
            return value
        case shapes.BoolType() if isinstance(value, bool):
            return value
        case shapes.IntType(ge=least) if _is_number(value):
            return round(value) if value >= (-MOST if least is None else least) else _NOTHING
        case shapes.FloatType() if _is_number(value):
            return float(value)
    return _NOTHING


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) <= MOST  # false for NaN


def _in_order(types: tuple[shapes.Type, ...]) -> list[shapes.Type]:
    """The types of a union in the order to try; marked ones last, as they raise on a misfit."""
    return sorted(types, key=lambda option: isinstance(option, shapes.Metadata))


def _items(values: list[Any], item: shapes.Type) -> list[Any]:
    """The items in their places; one that does not fit becomes an empty one of its type."""
    empty: Any = {shapes.StrType: "", shapes.StructType: {}}.get(type(item))
    fits = (_fitting(value, item) for value in values)
    return [
        (_fitting(empty, item) if empty is not None else None) if fitting is _NOTHING else fitting
        for fitting in fits
    ]


def _or_none(value: Any) -> Any:
    return None if value is _NOTHING else value
