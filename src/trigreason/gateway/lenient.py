"""Fields of requests that have no effect: they are ignored, and the response names them.

Clients send fields of many servers. A field is ignored unless the answer would be wrong without it;
with ``gateway.strict`` a request with such a field is refused instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trigreason.gateway.errors import unsupported

_NOTHING: tuple[Any, ...] = (None, [], {}, "", False)
"""Values with which a field asks for nothing; 0 and 0.0 are equal to False."""

_INTEGERS = 2**31
"""Servers read counts as integers of 32 bits."""


class LenientModel(BaseModel):
    """An object whose unknown fields are allowed; :func:`ignored_fields` names them."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


def _limit(given: int | None) -> int | None:
    if given == 0:
        raise ValueError("must be at least 1, or -1 for no limit")
    return None if given == -1 else given


Limit = Annotated[
    int | None,
    Field(ge=-1, json_schema_extra={"not": {"const": 0}}),
    AfterValidator(_limit),
]
"""A limit in tokens; -1 is none, as local servers have it."""

TopK = Annotated[
    int | None,
    Field(ge=-1, lt=_INTEGERS),
    AfterValidator(lambda top_k: None if top_k is None else max(0, top_k)),
]
"""The likeliest tokens that are drawn from; 0 and -1 are all."""

MinP = Annotated[float | None, Field(ge=0, le=1)]
"""The least probability of a token, as a share of the likeliest one's."""

EndUser = Annotated[str, Field(max_length=512)] | dict[str, Any]
"""Whom a client asks for: a name, or an object as chat pages send it."""


def refuse(body: BaseModel, reasons: Mapping[str, str]) -> None:
    """Refuse fields without which the answer would be wrong.

    ``reasons`` says why, by field. Raises ApiError if one of them asks for something.
    """
    extra = body.model_extra or {}
    for name, reason in reasons.items():
        if extra.get(name) not in _NOTHING:
            raise unsupported(name, reason)


def ignored_fields(
    body: BaseModel, harmless: Mapping[str, Sequence[Any]], *more: str
) -> tuple[str, ...]:
    """The names of the given fields that have no effect, each once, such as ``messages.foo``.

    ``harmless`` are values, by name, with which a field asks for what is done anyway. ``more`` are
    names that are found in another way.
    """
    unknown = (
        name
        for name, value in _unknown(body, "")
        if value not in _NOTHING and value not in harmless.get(name, ())
    )
    return tuple(dict.fromkeys((*more, *unknown)))


def unstreamed(options: BaseModel | None, streamed: bool | None) -> tuple[str, ...]:
    """``stream_options`` if they ask for something of a response that is not streamed."""
    asks = options is not None and any(options.model_dump().values())
    return ("stream_options",) if asks and not streamed else ()


def _unknown(model: BaseModel, path: str) -> Iterator[tuple[str, Any]]:
    for name, value in (model.model_extra or {}).items():
        yield path + name, value
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, BaseModel):
                yield from _unknown(part, f"{path}{name}.")
