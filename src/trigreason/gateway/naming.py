"""Model names: ``pair``, ``pair:method``, ``pair:rho=0.75,n=5``, ``pair:method:rho=0.75``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trigreason.gateway.errors import ApiError, invalid
from trigreason.gateway.exchange import ModelChoice
from trigreason.reasoning import Direction, Thresholds, make_method, methods
from trigreason.reasoning.field_docs import field_doc

MAX_NAME = 500
"""The most characters of a model name."""

_SHOWN = 80
"""Characters of a client's text that an error repeats."""


def _threshold(name: str) -> Any:
    """A field of a request with the bounds and the documentation of the threshold."""
    doc = field_doc(Thresholds, name)
    if doc.bounds is None:
        return Field(description=doc.text)
    return Field(ge=doc.bounds.least, le=doc.bounds.most, description=doc.text)


class ThresholdChanges(BaseModel):
    """The thresholds that a request sets, under the paper's symbols; the others are the pair's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    n: Annotated[int | None, _threshold("n")] = None
    tau: Annotated[float | None, _threshold("tau")] = None
    rho: Annotated[float | None, _threshold("rho")] = None
    direction: Annotated[Direction | None, _threshold("direction")] = None
    k: Annotated[int | None, _threshold("k")] = None
    m: Annotated[int | None, _threshold("m")] = None
    accept: Annotated[float | None, _threshold("accept")] = None
    judge_first: Annotated[int | None, _threshold("judge_first")] = None
    script_stop: Annotated[bool | None, _threshold("script_stop")] = None
    delta: Annotated[float | None, _threshold("delta")] = None
    share: Annotated[float | None, _threshold("share")] = None
    every: Annotated[int | None, _threshold("every")] = None
    entropy: Annotated[float | None, _threshold("entropy")] = None
    confidence: Annotated[float | None, _threshold("confidence")] = None
    tag: Annotated[str | None, _threshold("tag")] = None
    risk: Annotated[float | None, _threshold("risk")] = None
    repeats: Annotated[int | None, _threshold("repeats")] = None

    def onto(self, thresholds: Thresholds) -> Thresholds:
        """``thresholds`` with these changes. Raises ValueError if the result is inconsistent."""
        fields = {name: getattr(self, name) for name in _NAMES}
        values = {name: value for name, value in fields.items() if value is not None}
        return Thresholds.from_json(thresholds.to_json() | values)


_NAMES = frozenset(ThresholdChanges.model_fields)


def choice(name: str, pairs: Mapping[str, Thresholds]) -> ModelChoice:
    """What a model name stands for, among ``pairs`` with their thresholds.

    Raises:
        ApiError: there is no such pair (404), or the rest of the name is invalid (400).
    """
    pair, rest = _pair(name, pairs)
    chosen = ModelChoice(pair)
    parts = rest.split(":") if rest else []
    if parts and "=" not in parts[0]:
        chosen = with_method(chosen, parts.pop(0), "model")
    if parts:
        chosen = with_thresholds(chosen, _changes(parts.pop(0)), pairs[pair], "model")
    if parts:
        raise invalid("model: write it like pair:method:rho=0.75,n=5", "model")
    return chosen


def with_method(chosen: ModelChoice, method: str, param: str) -> ModelChoice:
    """The choice with another method. Raises ApiError if there is none of this name."""
    if method not in methods():
        names = ", ".join(methods())
        raise invalid(f"no method is called {method[:_SHOWN]!r}; there are {names}", param)
    return replace(chosen, method=method)


def with_thresholds(
    chosen: ModelChoice, changes: ThresholdChanges, default: Thresholds, param: str
) -> ModelChoice:
    """The choice with some thresholds changed.

    Raises:
        ApiError: they are inconsistent, or lack what the method needs.
    """
    try:
        thresholds = changes.onto(chosen.thresholds or default)
        if chosen.method is not None:
            make_method(chosen.method, thresholds)
    except ValueError as error:
        raise invalid(str(error), param) from error
    return replace(chosen, thresholds=thresholds)


def usable_methods(thresholds: Thresholds, *, has_scorer: bool) -> list[str]:
    """The methods that a pair with these thresholds has all that they need for."""
    return [name for name in methods() if _is_usable(name, thresholds, has_scorer)]


def _is_usable(method: str, thresholds: Thresholds, has_scorer: bool) -> bool:
    try:
        return has_scorer or not make_method(method, thresholds).needs_scorer
    except ValueError:
        return False


def _pair(name: str, pairs: Iterable[str]) -> tuple[str, str]:
    """The longest pair name that ``name`` begins with, and what follows it."""
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
    """Parse ``rho=0.75,n=5``."""
    items = [item.partition("=") for item in part.split(",")]
    values = {key.strip(): text.strip() for key, _, text in items}
    if len(values) < len(items):
        raise invalid("model: a threshold is given twice", "model")
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
