"""Deployments in TOML: the bundled ones and the user's files (see docs/simulation.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from trigreason.hiding import Hiding
from trigreason.reasoning import Prices
from trigreason.studies.simulation.deployment import Deployment, Server

_FOLDER = Path(__file__).parent / "deployments"
DEPLOYMENTS = tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))
"""The names of the bundled deployments."""

_Part = TypeVar("_Part", Deployment, Server, Hiding, Prices)

_HIDING = frozenset(each.name for each in fields(Hiding))


def read_deployment(name: str) -> Deployment:
    """The bundled deployment called ``name``, or the one in the TOML file with this name.

    Raises:
        ValueError: there is no such deployment, or its file is wrong.
        OSError: the file cannot be read.
    """
    if name in DEPLOYMENTS:
        return _deployment_from(_parsed(_FOLDER / f"{name}.toml"), name)
    if not Path(name).is_file():
        raise ValueError(
            f"no deployment is called {name}, and there is no such file; give a TOML file or one "
            f"of {', '.join(DEPLOYMENTS)}"
        )
    return _deployment_from(_parsed(Path(name)), name)


def _deployment_from(values: Mapping[str, Any], place: str) -> Deployment:
    """A deployment from a file's values.

    Raises:
        ValueError: a key is unknown, or a value of the wrong kind or out of range; ``place`` says
            where.
    """
    rest = {name: value for name, value in values.items() if name not in _HIDING}
    hiding = {name: value for name, value in values.items() if name in _HIDING}
    names = [name for name in ("srm", "lrm") if name in rest]
    servers = {name: _server(rest.pop(name), f"{place}, [{name}]") for name in names}
    return _made(Deployment, rest, place, hiding=_made(Hiding, hiding, place), **servers)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no TOML ({error})") from error


def _server(values: Any, place: str) -> Server:
    rest = dict(_table(values, place))
    prices: Prices | None = None
    if "prices" in rest:
        within = f"{place}, prices"
        prices = _made(Prices, _table(rest.pop("prices"), within), within)
    return _made(Server, rest, place, prices=prices)


def _table(values: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise ValueError(f"{place} must be a table, not {values!r}")
    return values


def _made(kind: type[_Part], values: Mapping[str, Any], place: str, **parts: Any) -> _Part:
    """A ``kind`` made of checked plain values and finished parts."""
    allowed = {name: _KINDS[each] for name, each in _annotations(kind) if each in _KINDS}
    for name, value in values.items():
        if name not in allowed:
            raise ValueError(f"{place}: there is no {name!r}; there are {', '.join(allowed)}")
        wanted, words = allowed[name]
        if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool):
            raise ValueError(f"{place}: {name} must be {words}, not {value!r}")
    try:
        return kind(**values, **parts)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from error


def _annotations(kind: Any) -> Iterator[tuple[str, str]]:
    for each in fields(kind):
        yield each.name, str(each.type).removesuffix(" | None")


_KINDS: dict[str, tuple[Any, str]] = {
    "bool": (bool, "true or false"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "str": (str, "a text"),
}
"""By a field's annotation: the types that it takes in TOML, and the words for them."""
