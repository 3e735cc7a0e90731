"""The package's items, one file each: ``items/*.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import ValidationError

from trigreason.configuration import nearest
from trigreason.paper.item import Item

_ORDER = ("fig", "table", "appendix")


@cache
def catalogue() -> dict[str, Item]:
    """All items by id: figures, tables, appendices.

    Raises:
        ValueError: an item's file does not fit the schema.
    """
    folder = files(__package__).joinpath("items").iterdir()
    items = [read_item(file) for file in folder if file.name.endswith(".toml")]
    return {item.id: item for item in sorted(items, key=lambda item: _rank(item.id))}


def read_item(file: Traversable) -> Item:
    """The item in a TOML file; its id is the file's name.

    Raises:
        ValueError: the file is not TOML, or does not fit the schema; the message says where.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        return Item.model_validate({"id": file.name.removesuffix(".toml"), **values})
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file.name}: is no TOML ({error})") from error
    except ValidationError as error:
        raise ValueError(f"{file.name}: {'; '.join(_problems(error))}") from error


def chosen(names: Sequence[str]) -> list[Item]:
    """The items with these ids, in the catalogue's order, without duplicates.

    Raises:
        ValueError: there is no such item.
    """
    items = catalogue()
    for name in names:
        if name not in items:
            raise ValueError(f"no item is called {name!r}; {nearest(name, items)}")
    return [item for item in items.values() if item.id in names]


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        yield f"{where}: {what}" if where else what


def _rank(name: str) -> tuple[int, list[tuple[int, str]]]:
    kind = next((at for at, prefix in enumerate(_ORDER) if name.startswith(prefix)), len(_ORDER))
    parts = re.findall(r"\d+|\D", name)
    return kind, [(int(part), "") if part.isdigit() else (10**6, part) for part in parts]
