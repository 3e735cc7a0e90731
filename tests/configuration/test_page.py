"""docs/configuration.md names the keys that there are, with their defaults."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from trigreason.configuration import effective_values, read_configuration
from trigreason.configuration.schema import all_keys

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
HEADINGS = {
    "### `[engines.NAME]`": "engines.*.",
    "### `[pairs.NAME]`": "pairs.*.",
    "### `[gateway]`": "gateway.",
}


def rows() -> dict[str, str]:
    """Each key that the page's tables name, and the default beside it."""
    found: dict[str, str] = {}
    prefix = ""
    for line in PAGE.splitlines():
        prefix = HEADINGS.get(line, prefix)
        if line.startswith("| `"):
            keys, *_, default = line.strip("| ").replace("| |", "|  |").split("|")
            for key in re.findall(r"`([^`]+)`", keys):
                found[prefix + key] = default.strip().strip("`")
    return found


def test_the_page_names_exactly_the_keys_there_are() -> None:
    assert set(rows()) == {".".join(path) for path in all_keys()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_examples_are_fine(example: str, tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(example)
    assert len(read_configuration(file, {}).settings.pairs) == 1


def test_its_defaults_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text('[engines.e]\nurl = "http://x"\n[pairs.p]\nsrm = "e"\nlrm = "e"\n')
    told = rows()
    compared = 0
    for key, value, place in effective_values(read_configuration(file, {})):
        pattern = key.replace(".e.", ".*.", 1).replace("pairs.p.", "pairs.*.", 1)
        default = json.loads(value)
        if place == "default" and isinstance(default, int | float):
            shown = told[pattern]
            assert tomllib.loads(f"value = {shown}")["value"] == default, pattern
            compared += 1
    assert compared > 20
