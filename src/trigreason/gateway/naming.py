"""Model names: ``pair``, ``pair:method``, ``pair:rho=0.75,n=5``, ``pair:method:rho=0.75``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trigreason.gateway.errors import ApiError, invalid
from trigreason.gateway.exchange import ModelChoice
from trigreason.reasoning import Direction, Thresholds, methods
from trigreason.reasoning.field_docs import field_doc

MAX_NAME = 500
"""Characters of a model name."""

_SHOWN = 80
"""Characters of a client's text that an error repeats."""


def _threshold(name: str) -> Any:
    """A field of a request with the bounds and the documentation of the threshold."""
    doc = field_doc(Thresholds, name)
    if doc.bounds is None:
        return Field(description=doc.text)
    return Field(ge=doc.bounds.least, le=doc.bounds.most, description=doc.text)


class ThresholdChanges(BaseModel):
    """Thresholds that a request sets, under the paper's symbols; the others are the pair's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    n: Annotated[int | None, _threshold("n")] = None
    tau: Annotated[float | None, _threshold("tau")] = None
    rho: Annotated[float | None, _threshold("rho")] = None
    direction: Annotated[Direction | None, _threshold("direction")] = None
    k: Annotated[int | None, _threshold("k")] = None
    m: Annotated[int | None, _threshold("m")] = None
    accept: Annotated[float | None, _threshold("accept")] = None
    judge_first: Annotated[int | None, _threshold("judge_first")] = None
    repeats: Annotated[int | None, _threshold("repeats")] = None

    def onto(self, thresholds: Thresholds) -> Thresholds:
        """``thresholds`` with those that were set. Raises ValueError where they do not fit."""
        said = {name: getattr(self, name) for name in _NAMES}
        values = {name: value for name, value in said.items() if value is not None}
        return Thresholds.from_json(thresholds.to_json() | values)


_NAMES = frozenset(ThresholdChanges.model_fields)


def choice(name: str, pairs: Mapping[str, Thresholds]) -> ModelChoice:
    """What a model name stands for, among ``pairs`` with their own thresholds.

    Raises:
        ApiError: there is no such pair (404), or what follows it makes no sense (400).
    """
    pair, rest = _pair(name, pairs)
    found = ModelChoice(pair)
    parts = rest.split(":") if rest else []
    if parts and "=" not in parts[0]:
        found = with_method(found, parts.pop(0), "model")
    if parts:
        found = with_thresholds(found, _changes(parts.pop(0)), pairs[pair], "model")
    if parts:
        raise invalid("model: write it like pair:method:rho=0.75,n=5", "model")
    return found


def with_method(found: ModelChoice, method: str, param: str) -> ModelChoice:
    """The same with another method. Raises ApiError where there is none of this name."""
    if method not in methods():
        known = ", ".join(methods())
        raise invalid(f"no method is called {method[:_SHOWN]!r}; there are {known}", param)
    return replace(found, method=method)


def with_thresholds(
    found: ModelChoice, changes: ThresholdChanges, own: Thresholds, param: str
) -> ModelChoice:
    """The same with some thresholds changed. Raises ApiError where they do not fit."""
    try:
        return replace(found, thresholds=changes.onto(found.thresholds or own))
    except ValueError as error:
        raise invalid(str(error), param) from error


def _pair(name: str, pairs: Iterable[str]) -> tuple[str, str]:
    """The pair that a name begins with, the longest one, and what follows."""
    for pair in sorted(pairs, key=len, reverse=True):
        if name == pair or name.startswith(f"{pair}:"):
            return pair, name[len(pair) + 1 :]
    near = get_close_matches(name.split(":")[0][:_SHOWN], list(pairs), 1)
    advice = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(pairs)}."
    raise ApiError(
        404,
        f"The model {name[:_SHOWN]!r} does not exist. {advice}",
        param="model",
        code="model_not_found",
    )


def _changes(part: str) -> ThresholdChanges:
    """``rho=0.75,n=5``, read."""
    items = [item.partition("=") for item in part.split(",")]
    values = {key.strip(): text.strip() for key, _, text in items}
    if len(values) < len(items):
        raise invalid("model: a threshold stands there twice", "model")
    try:
        return ThresholdChanges.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = str(first["loc"][0])[:_SHOWN]
        if first["type"] == "extra_forbidden":
            what = f"unknown threshold {key!r}; there are {', '.join(sorted(_NAMES))}"
        else:
            what = f"{key}: {first['msg']}"
        raise invalid(f"model: {what}", "model") from error
