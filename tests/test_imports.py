"""Arrows point one way.

``cli -> paper -> gateway, evaluation, studies -> reasoner, pairs -> engines -> reasoning``

Every import counts, at whatever depth it stands and however late it runs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "trigreason"
LEVELS = (
    {"reasoning"},
    {"engines"},
    {
        "reasoner",
        "running",
        "answers",
        "budget",
        "events",
        "failure",
        "hiding",
        "pairs",
        "bundled",
        "configuration",
    },
    {"gateway", "evaluation", "studies", "__init__"},
    {"paper"},
    {"cli", "__main__"},
)
LEVEL = {part: height for height, level in enumerate(LEVELS) for part in level}
FILES = sorted((SOURCE / PACKAGE).rglob("*.py"))


def module_of(file: Path) -> str:
    """Dotted name; a package's ``__init__`` keeps its last part, so that ``.`` means the same."""
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts)


def part_of(module: str) -> str:
    """The part of the program a module belongs to: ``trigreason.cli.main`` belongs to ``cli``."""
    return (*module.split("."), "__init__")[1]


def imports(source: str, module: str) -> Iterator[str]:
    """Dotted names of everything ``source`` imports, relative imports resolved."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*home, *filter(None, [node.module])])
            yield from (
                f"{origin}.{alias.name}" if origin == PACKAGE else origin for alias in node.names
            )
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))


def target_of(name: str) -> str:
    """The part a name is imported from; a bare ``from trigreason import x`` may mean x itself."""
    part = part_of(name)
    is_a_part = part in LEVEL or (SOURCE / PACKAGE / part).exists()
    return part if is_a_part or (SOURCE / PACKAGE / f"{part}.py").exists() else "__init__"


def wrong_imports(source: str, module: str) -> list[str]:
    """Imports of ``source`` that point upwards, or out of a part that must stay pure."""
    height = LEVEL[part_of(module)]
    wrong = []
    for name in imports(source, module):
        root = name.split(".")[0]
        if root == PACKAGE:
            if LEVEL[target_of(name)] > height:
                wrong.append(name)
        elif height == 0 and root not in sys.stdlib_module_names:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_point_downwards(file: Path) -> None:
    module = module_of(file)
    assert part_of(module) in LEVEL, f"say in LEVELS where {module} belongs"
    assert wrong_imports(file.read_text(), module) == []


def test_the_core_is_among_the_files() -> None:
    assert "trigreason.reasoning.steps" in map(module_of, FILES)


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("reasoning.steps", "import re\nfrom trigreason.reasoning.tokens import Token", []),
        ("reasoning.steps", "import numpy.linalg", ["numpy.linalg"]),
        ("reasoning.steps", "import trigreason.engines.base", ["trigreason.engines.base"]),
        ("reasoning.steps", "from trigreason import engines", ["trigreason.engines"]),
        ("reasoning.steps", "from trigreason import __version__", ["trigreason.__version__"]),
        ("reasoning.steps", "from ..engines import base", ["trigreason.engines"]),
        ("reasoning.__init__", "from .steps import Step\nfrom . import tokens", []),
        ("reasoning.steps", "from .. import cli", ["trigreason.cli"]),
        ("engines.base", "import aiohttp\nfrom trigreason.reasoning import Token", []),
        (
            "engines.base",
            "def f():\n    from trigreason.reasoner import x",
            ["trigreason.reasoner"],
        ),
        ("engines.base", "import_module('trigreason.pairs')", ["trigreason.pairs"]),
        ("engines.base", "if TYPE_CHECKING:\n    import trigreason.cli", ["trigreason.cli"]),
        ("reasoner", "from trigreason.pairs import Pair", []),
        ("reasoner", "from trigreason.gateway import App", ["trigreason.gateway"]),
        ("studies.judge", "from trigreason.cli import main", ["trigreason.cli"]),
        ("cli.main", "from trigreason import __version__, gateway, studies", []),
    ],
)
def test_the_check_sees(module: str, source: str, wrong: list[str]) -> None:
    assert wrong_imports(source, f"{PACKAGE}.{module}") == wrong
