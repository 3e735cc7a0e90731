"""JSON of other people's servers, taken as it comes.

What is as expected is decoded at once. In an event that is not, each field stands for itself: a
count with a fraction is rounded, a number that JSON does not have is none, and a field of another
kind is left out as if it had not been sent. Only where text stands another kind is an error, since
a piece of the answer would be lost without a word.
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
"""Marks a field that is an error where it is of another kind, and not null."""

Text = Annotated[str, MATTERS]
"""What the model wrote."""

MOST = 2**53
"""A number above this counts nothing."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""How many tokens."""


class Unfit(ValueError):
    """No event, or one with something else where its text should stand."""


class Events(Generic[Kind]):
    """Reads events of one kind, a ``msgspec.Struct``. An event ``null`` is an empty one."""

    def __init__(self, kind: type[Kind]) -> None:
        self._strict = msgspec.json.Decoder(kind)
        self._shape = shapes.type_info(kind)

    def decode(self, payload: bytes) -> Kind:
        """The event in ``payload``. Raises Unfit where it is none that can be read."""
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
        """An event out of what was decoded already. Raises Unfit as ``decode`` does."""
        fitting: Kind = _fitting(event, self._shape)
        return fitting


_NOTHING: Any = object()


def _fitting(value: Any, shape: shapes.Type) -> Any:
    """``value`` as ``shape`` has it; ``_NOTHING`` where it cannot be taken for that."""
    match shape:
        case shapes.Metadata(type=inner):
            fitting = _fitting(value, inner)
            is_torn = isinstance(value, str) and _SURROGATE.search(value)
            if value is not None and (fitting is _NOTHING or is_torn):
                raise Unfit(f"{json.dumps(value)[:40]} is none of what stands there")
            return fitting
        case shapes.UnionType(types=types):
            if value is None and any(isinstance(each, shapes.NoneType) for each in types):
                return None
            taken = (_fitting(value, each) for each in _in_order(types))
            return next((each for each in taken if each is not _NOTHING), _NOTHING)
        case shapes.StructType(cls=kind, fields=fields) if isinstance(value, dict):
            told = {
                field.name: fitting
                for field in fields
                if field.encode_name in value
                and (fitting := _fitting(value[field.encode_name], field.type)) is not _NOTHING
            }
            return kind(**told)
        case shapes.NamedTupleType(cls=kind, fields=fields) if isinstance(value, list):
            items = [*value[: len(fields)], *[None] * (len(fields) - len(value))]
            pairs = zip(items, fields, strict=True)
            return kind(*(_or_none(_fitting(item, field.type)) for item, field in pairs))
        case shapes.ListType(item_type=item) if isinstance(value, list):
            return _items(value, item)
        case shapes.DictType(value_type=item) if isinstance(value, dict):
            return {name: _or_none(_fitting(each, item)) for name, each in value.items()}
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
    return is_real and abs(value) <= MOST  # which is false of NaN


def _in_order(types: tuple[shapes.Type, ...]) -> list[shapes.Type]:
    """The types of a union to be tried; a text that matters last, for it refuses the others."""
    return sorted(types, key=lambda each: isinstance(each, shapes.Metadata))


def _items(values: list[Any], item: shapes.Type) -> list[Any]:
    """The items in their places: one that does not fit is an empty one of its kind."""
    empty: Any = {shapes.StrType: "", shapes.StructType: {}}.get(type(item))
    taken = (_fitting(value, item) for value in values)
    return [
        (_fitting(empty, item) if empty is not None else None) if each is _NOTHING else each
        for each in taken
    ]


def _or_none(value: Any) -> Any:
    return None if value is _NOTHING else value
