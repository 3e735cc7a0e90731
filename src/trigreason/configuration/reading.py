"""Validates the layers of a configuration, and reports all problems at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trigreason.configuration.layers import Layers, find_file, read_environment, read_file
from trigreason.configuration.presets import presets
from trigreason.configuration.problems import (
    ConfigurationError,
    ConfigurationProblem,
    nearest,
    shown,
)
from trigreason.configuration.schema import BUNDLED, KeyPath, Settings, keys_at, srm_with_draft

Kind = TypeVar("Kind", bound=BaseModel)

_TYPES = {
    "string_type": "text in quotes",
    "path_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a table",
    "dict_type": "a table",
}
"""The expected types of pydantic's errors, in TOML's terms."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A validated configuration; ``file`` is None if there is no file."""

    settings: Settings
    layers: Layers
    file: Path | None = None

    @property
    def pair_names(self) -> list[str]:
        """All pairs: the bundled one, the configured ones, the presets."""
        return _pair_names(self.settings)

    @property
    def served_pairs(self) -> tuple[str, ...]:
        """The pairs that the gateway serves: those of its table, or all configured, or bundled."""
        return self.settings.gateway.pairs or tuple(self.settings.pairs) or (BUNDLED,)

    @property
    def passed_engines(self) -> tuple[str, ...]:
        """The engines to which the gateway passes requests on, by name."""
        names = (name for _, names in self.settings.gateway.passed for name in names)
        return tuple(dict.fromkeys(names))

    def place(self, path: KeyPath) -> str:
        """The file or variable that sets a value."""
        return self.layers.place(path) or "configuration"


def read_configuration(file: Path | None, environ: Mapping[str, str]) -> Configuration:
    """Read ``file``, or else the first of the usual files, and the environment.

    Raises:
        ConfigurationError: the configuration is invalid; the error holds all problems.
    """
    file = find_file(file, environ)
    layers = Layers()
    if file is not None:
        layers.put((), read_file(file), str(file))
    problems = list(read_environment(layers, environ))
    settings, invalid = validate(Settings, layers)
    problems += invalid
    if settings is not None:
        problems += _references(settings, layers)
    if problems or settings is None:
        raise ConfigurationError(problems)
    return Configuration(settings, layers, file)


def validate(
    kind: type[Kind], layers: Layers, at: KeyPath = ()
) -> tuple[Kind | None, list[ConfigurationProblem]]:
    """The values as a table of this kind, or their problems.

    ``at`` is the table's path in a configuration. TOML has JSON's types, so pydantic's strict rules
    for JSON apply: no number from a text, no text from a number.
    """
    try:
        return kind.model_validate_json(json.dumps(layers.values, default=str), strict=True), []
    except ValidationError as error:
        return None, [_problem(details, layers, at) for details in error.errors(include_url=False)]


def _problem(error: ErrorDetails, layers: Layers, at: KeyPath) -> ConfigurationProblem:
    path = tuple(map(str, error["loc"]))
    place = layers.place(path) or "configuration"
    return ConfigurationProblem(place, ".".join((*at, *path)), _what(error, (*at, *path)))


def _what(error: ErrorDetails, path: KeyPath) -> str:
    """A problem in words, without repeating what may be a secret."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        if path[-1] == "api_key":
            return "a key is not written here; name its environment variable in api_key_env"
        return f"unknown key; {nearest(path[-1], keys_at(path[:-1]))}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context["error"])
    if kind == "enum":
        return f"must be {context['expected']}, not {shown(value)}"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {shown(value)}"
    return error["msg"].replace("Input should", "must").replace("String should", "must")


def _pair_names(settings: Settings) -> list[str]:
    return list(dict.fromkeys((BUNDLED, *settings.pairs, *presets())))


def _references(settings: Settings, layers: Layers) -> Iterator[ConfigurationProblem]:
    """Problems with references to engines and pairs."""

    def problem(path: KeyPath, what: str) -> ConfigurationProblem:
        return ConfigurationProblem(layers.place(path) or "configuration", ".".join(path), what)

    pairs = _pair_names(settings)
    if settings.default_pair not in pairs:
        what = f"no pair is called {shown(settings.default_pair)}"
        yield problem(("default_pair",), f"{what}; {nearest(settings.default_pair, pairs)}")
    for name in settings.gateway.pairs or ():
        if name not in pairs:
            what = f"no pair is called {shown(name)}; {nearest(name, pairs)}"
            yield problem(("gateway", "pairs"), what)
    for route, names in settings.gateway.passed:
        for refused in filter(None, (_not_passed(settings, name) for name in names)):
            yield problem(("gateway", "passed", route), refused)
    if BUNDLED in settings.pairs:
        yield problem(("pairs", BUNDLED), "this name is reserved for the bundled pair")
    for name, engine in settings.engines.items():
        refusal = _no_draft(settings, name, engine.draft) if engine.draft is not None else None
        if refusal is not None:
            yield problem(("engines", name, "draft"), refusal)
    for name, pair in settings.pairs.items():
        srm = settings.engines.get(pair.srm)
        if srm is not None and srm.draft is not None:
            yield problem(("pairs", name, "srm"), srm_with_draft(pair.srm, srm.draft))
        for role in ("srm", "lrm"):
            engine_name: str = getattr(pair, role)
            if engine_name not in settings.engines:
                yield problem(("pairs", name, role), _no_engine(settings, engine_name))


def _no_engine(settings: Settings, name: str) -> str:
    return f"no engine is called {shown(name)}; {nearest(name, settings.engines)}"


def _not_passed(settings: Settings, name: str) -> str | None:
    """Why no requests can be passed on to the engine ``name``; None if they can."""
    if name not in settings.engines:
        return _no_engine(settings, name)
    if name in _pair_names(settings):
        return f"{shown(name)} is also the name of a pair; rename the engine"
    engine = settings.engines[name]
    if engine.url is None or engine.model is None:
        return f"the engine {shown(name)} needs a url and the model's name"
    return None


def _no_draft(settings: Settings, name: str, draft: str) -> str | None:
    """Why the engine ``name`` cannot have ``draft`` as its draft model; None if it can."""
    if draft not in settings.engines:
        return _no_engine(settings, draft)
    if draft == name:
        return "an engine cannot draft for itself; name a smaller one"
    if settings.engines[draft].file is None:
        return f"must name an engine with a file, and {shown(draft)} is on a server"
    return None
