"""Every effective value of a configuration, with its origin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from trigreason.configuration.reading import Configuration
from trigreason.configuration.schema import (
    ANY_NAME,
    OF_FILES,
    OF_SERVERS,
    EngineSettings,
    KeyPath,
    Settings,
    fields_of,
)

DEFAULT = "default"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Effective(NamedTuple):
    """A key and its value in TOML's notation, and the file or variable that sets it."""

    key: str
    value: str
    place: str


def effective_values(configuration: Configuration) -> Iterator[Effective]:
    """All values that are set, in the schema's order; None is left out."""
    for path, value in _values(configuration.settings, Settings):
        key = ".".join(part if _BARE_KEY.fullmatch(part) else json.dumps(part) for part in path)
        written = json.dumps(value, ensure_ascii=False, default=str)
        yield Effective(key, written, configuration.layers.places.get(path, DEFAULT))


def _values(value: Any, kind: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    fields = fields_of(kind)
    if value is None:
        return
    if not fields:
        yield path, value
    elif ANY_NAME in fields:
        for name, inner in value.items():
            yield from _values(inner, fields[ANY_NAME], (*path, name))
    else:
        unused: tuple[str, ...] = ()
        if isinstance(value, EngineSettings):
            unused = OF_FILES if value.file is None else OF_SERVERS
        for name, inner in fields.items():
            if name not in unused:
                yield from _values(getattr(value, name), inner, (*path, name))
