"""The site of docs/ builds without a warning, and its reference is what the code says."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

CONFIGURATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r": ([\w-]+\.md)$", CONFIGURATION, re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_the_page_of_commands_is_what_the_command_line_says() -> None:
    file = ROOT / "docs" / "command_reference.py"
    spec = importlib.util.spec_from_file_location("command_reference", file)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == reference.page(), "run python docs/command_reference.py"


@pytest.mark.slow
def test_it_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="not installed; `uv sync --group site` does it")
    configured = tmp_path / "mkdocs.yml"
    for name in ("docs", "src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    configured.write_text(CONFIGURATION, encoding="utf-8")
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "-f", str(configured)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    pages = {page.name: page.read_text(encoding="utf-8") for page in tmp_path.glob("site/*.html")}
    assert len(pages) > 15
    for name, text in pages.items():
        for page, anchor in re.findall(r'href="([\w.-]*)(?:#([\w.-]+))?"', text):
            target = page or name
            assert (tmp_path / "site" / target).exists(), f"{name} links to {target}"
            if anchor and target in pages:
                assert f'id="{anchor}"' in pages[target], f"{name} links to {target}#{anchor}"
