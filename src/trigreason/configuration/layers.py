"""The layers of a configuration: the file, overridden by the environment.

TRIGREASON_CONFIG                 the file, unless --config names one
TRIGREASON_PAIR                   default_pair
TRIGREASON_ENGINES__SMALL__URL    engines.small.url, and so any key of an engine
TRIGREASON_PAIRS__QWEN__SRM       pairs.qwen.srm, and so any key of a pair
TRIGREASON_GATEWAY__PORT          gateway.port, and so any key of the gateway

Names of engines and pairs match regardless of case; "-" and "." in them are written "_" here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trigreason.configuration.gateway import anchored
from trigreason.configuration.problems import ConfigurationError, ConfigurationProblem
from trigreason.configuration.schema import KeyPath
from trigreason.engines.hub import is_hub_name
from trigreason.engines.templates import BUILT_IN

FILE = "trigreason.toml"
FILE_VARIABLE = "TRIGREASON_CONFIG"
PAIR_VARIABLE = "TRIGREASON_PAIR"
GATEWAY = "gateway"
KEY_VARIABLE = re.compile(r"TRIGREASON_((?:ENGINES|PAIRS|GATEWAY)__.*)", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Layers:
    """The merged values, and the file, variable or flag that set each one."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)

    def put(self, path: KeyPath, value: Any, place: str) -> None:
        """Set a value; a table is merged key by key."""
        if isinstance(value, dict):
            self._table(path)
            for key, inner in value.items():
                self.put((*path, key), inner, place)
            if not value:
                self.places.setdefault(path, place)
        else:
            self._table(path[:-1])[path[-1]] = value
            self.places[path] = place

    def place(self, path: KeyPath) -> str | None:
        """Where the value at a path was set; for a table, its value that was set last."""
        for length in range(len(path), -1, -1):
            for key, place in reversed(self.places.items()):
                if key[:length] == path[:length]:
                    return place
        return None

    def _table(self, path: KeyPath) -> dict[str, Any]:
        table = self.values
        for part in path:
            if not isinstance(table.get(part), dict):
                table[part] = {}
            table = table[part]
        return table


def find_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: ``file``, or the environment's, or else the first of the usual ones."""
    if file is not None:
        return file
    if named := environ.get(FILE_VARIABLE):
        return Path(named).expanduser()
    return next((usual for usual in usual_files(environ) if usual.is_file()), None)


def usual_files(environ: Mapping[str, str]) -> list[Path]:
    """The default places of a configuration: the working directory, then the user's folder."""
    user = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not user.is_absolute():
        user = Path("~/.config").expanduser()
    return [Path(FILE), user / "trigreason" / FILE]


def read_file(file: Path) -> dict[str, Any]:
    """The values of a TOML file; paths in it are relative to its folder.

    Raises:
        ConfigurationError: the file cannot be read, or is not TOML.
    """
    try:
        values = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        what = f"cannot be read ({error.strerror or type(error).__name__}); check the path"
    except UnicodeDecodeError as error:
        what = f"is no UTF-8 text (byte {error.start})"
    except tomllib.TOMLDecodeError as error:
        what = f"is no TOML: {error}"
    except RecursionError:
        what = "is no TOML: nested too deeply"
    else:
        _anchor(values, file.parent)
        return values
    raise ConfigurationError([ConfigurationProblem(str(file), "", what)])


def _anchor(values: dict[str, Any], folder: Path) -> None:
    """Make the paths of models, templates and a database independent of the working directory."""
    if isinstance(gateway := values.get(GATEWAY), dict):
        anchored(gateway, folder)
    engines = values.get("engines")
    for engine in engines.values() if isinstance(engines, dict) else ():
        if not isinstance(engine, dict):
            continue
        if isinstance(file := engine.get("file"), str) and file and not is_hub_name(file):
            engine["file"] = str(folder / Path(file).expanduser())
        template = engine.get("template")
        if isinstance(template, str) and template and template not in BUILT_IN:
            engine["template"] = str(folder / Path(template).expanduser())


def read_environment(layers: Layers, environ: Mapping[str, str]) -> Iterator[ConfigurationProblem]:
    """Put the environment's values onto ``layers``; yield problems with the variables' names."""
    if pair := environ.get(PAIR_VARIABLE):
        layers.put(("default_pair",), pair, PAIR_VARIABLE)
    for variable in sorted(environ):
        if match := KEY_VARIABLE.fullmatch(variable):
            parts = match[1].split("__")
            if len(parts) < 2 or not all(parts):
                example = "TRIGREASON_ENGINES__SMALL__URL"
                yield ConfigurationProblem(variable, "", f"names no key; write it like {example}")
                continue
            kind, name, *keys = (part.lower() for part in parts)
            if kind == GATEWAY:
                layers.put((kind, name, *keys), _parsed(environ[variable]), variable)
                continue
            table = layers.values.get(kind)
            matches = [key for key in table if _folded(key) == name] if table else []
            if len(matches) > 1:
                both = " and ".join(sorted(matches))
                yield ConfigurationProblem(
                    variable, "", f"could be {both}; give one of them another name"
                )
                continue
            path = (kind, *(matches or [name]), *keys)
            layers.put(path, _parsed(environ[variable]), variable)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", name.lower())


def _parsed(text: str) -> Any:
    """The text parsed as a TOML value, or else the text itself."""
    if "\n" in text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
