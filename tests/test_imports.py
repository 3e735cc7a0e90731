"""Arrows point one way.

Each part of the package has a level of its own and imports from lower ones alone, so no two import
each other, directly or by a detour. Every import counts, at whatever depth it stands and however
late it runs. ``python -m tests.test_imports`` draws the arrows; ``docs/architecture.md`` has them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "trigreason"
LEVELS = (
    "__init__",
    "reasoning",
    "budget",
    "failure",
    "hiding",
    "answers",
    "events",
    "engines",
    "pairs",
    "bundled",
    "configuration",
    "running",
    "reasoner",
    "page",
    "gateway",
    "evaluation",
    "studies",
    "paper",
    "cli",
    "__main__",
)
LEVEL = {part: height for height, part in enumerate(LEVELS)}
PURE = LEVEL["reasoning"]
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"
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
            target = target_of(name)
            if LEVEL[target] > height or (target == "__init__" and height == PURE):
                wrong.append(name)
        elif height == PURE and root not in sys.stdlib_module_names:
            wrong.append(name)
    return wrong


def test_imports_point_downwards() -> None:
    wrong = {}
    for file in FILES:
        module = module_of(file)
        assert part_of(module) in LEVEL, f"say in LEVELS where {module} belongs"
        if found := wrong_imports(file.read_text(), module):
            wrong[module] = found
    assert wrong == {}


def arrows() -> dict[str, set[str]]:
    """For each part, the parts that it imports from."""
    found: dict[str, set[str]] = {part: set() for part in LEVELS}
    for file in FILES:
        module = module_of(file)
        names = (name for name in imports(file.read_text(), module) if name.startswith(PACKAGE))
        found[part_of(module)] |= {target_of(name) for name in names}
    return {part: targets - {part, "__init__"} for part, targets in found.items()}


def drawn(found: Mapping[str, set[str]]) -> str:
    """The arrows that no longer way makes, as a Mermaid flowchart."""
    beyond: dict[str, set[str]] = {}
    lines = ["flowchart TD"]
    for part in LEVELS:
        direct = found[part]
        beyond[part] = set(direct).union(*(beyond[each] for each in direct))
        detours = set().union(*(beyond[each] for each in direct))
        nearest = sorted(direct - detours, key=LEVELS.index, reverse=True)
        lines += [f"    {part} --> {each}" for each in nearest if not part.startswith("__")]
    return "\n".join(lines)


@pytest.mark.slow
def test_the_picture_of_the_arrows_is_the_code() -> None:
    assert f"```mermaid\n{drawn(arrows())}\n```" in ARCHITECTURE.read_text()


def test_a_detour_is_left_out_of_the_picture() -> None:
    found = {part: set[str]() for part in LEVELS}
    found |= {"engines": {"reasoning"}, "pairs": {"engines", "reasoning"}}
    assert drawn(found) == "flowchart TD\n    engines --> reasoning\n    pairs --> engines"


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
        ("evaluation.logs", "import trigreason.studies", ["trigreason.studies"]),
        ("gateway.app", "import trigreason.evaluation", ["trigreason.evaluation"]),
        ("reasoner", "from trigreason.gateway import App", ["trigreason.gateway"]),
        ("studies.judge", "from trigreason.cli import main", ["trigreason.cli"]),
        ("cli.main", "from trigreason import __version__, gateway, studies", []),
    ],
)
def test_the_check_sees(module: str, source: str, wrong: list[str]) -> None:
    assert wrong_imports(source, f"{PACKAGE}.{module}") == wrong


if __name__ == "__main__":
    print(drawn(arrows()))
