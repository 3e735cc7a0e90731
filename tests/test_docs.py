"""What the docs show runs, and what they name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from trigreason.reasoning.methods.registry import BUILT_IN

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize(
    "page", ["README.md", pytest.param("docs/how-it-works.md", marks=pytest.mark.slow)]
)
def test_the_python_example_runs(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [example] = [each for each in examples if "from trigreason" in each]
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "SMT" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_method_is_documented_with_what_it_decides_by() -> None:
    rows = re.findall(r"(?m)^\| (`\w.*?) \|.*\| (.*?) \|$", (ROOT / "docs/methods.md").read_text())
    documented = {
        name: frozenset(re.findall(r"`(\w+)`", thresholds))
        for names, thresholds in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert documented == {each.name: each.decides_by for each in BUILT_IN}
