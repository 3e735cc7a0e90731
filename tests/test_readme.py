"""The README keeps its word: its commands run as pasted, in order, in a fresh copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import pytest

from tests.servers import ROOT, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("uv") is None, reason="the README's commands need uv"),
]

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
FIRST, TESTS, *OTHERS = BLOCKS

SERVE = "trigreason serve"
FIRST_SECONDS = 60
FIRST_MEBIBYTES = 200
SECONDS = 900

PREFACE = """
set -eo pipefail
pip() { true; }  # uv is there
ready() { for _ in $(seq 300); do curl -sf "$1" >/dev/null && return; sleep 0.2; done; false; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of the project as a clone has them, and nothing that is built."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            target = tmp_path / "project" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    (tmp_path / "home").mkdir()
    return tmp_path / "project"


def run(script: str, project: Path, more: Mapping[str, str]) -> str:
    """What a shell prints that has an empty home and no environment active."""
    dropped = re.compile("VIRTUAL_ENV|UV_PROJECT_ENVIRONMENT|XDG_.*|PYTHON.*|TRIGREASON_.*")
    kept = {name: value for name, value in os.environ.items() if not dropped.fullmatch(name)}
    environ = kept | {"HOME": str(project.parent / "home"), "COLUMNS": "100", **more}
    done = subprocess.run(
        ["bash", "-c", PREFACE + script],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_the_first_command_is_quick_and_small(project: Path) -> None:
    began = monotonic()
    told = run(FIRST, project, {"UV_CACHE_DIR": str(project.parent / "home" / "uv")})
    assert monotonic() - began < FIRST_SECONDS
    assert "TrigReason" in told
    used = subprocess.run(
        ["du", "-sm", str(project / ".venv")], capture_output=True, text=True, check=True
    )
    assert int(used.stdout.split()[0]) < FIRST_MEBIBYTES


def test_every_other_command_runs_in_order(project: Path) -> None:
    port = free_port()
    script = [FIRST]
    for number, block in enumerate(OTHERS):
        script.append(f'echo "== block {number}" >&2')
        if SERVE in block:
            [line] = [each for each in block.splitlines() if SERVE in each]
            command = line.split("#")[0].strip()
            script += [f"{command} --port {port} &", f"ready http://127.0.0.1:{port}/readyz"]
        else:
            script.append(block.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    told = run("\n".join(script), project, {"UV_CACHE_DIR": cache.stdout.strip()})
    for line in showcase():
        assert line in told


def showcase() -> list[str]:
    """The lines that the README shows of its first question."""
    [shown] = [each for each in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if "│" in each]
    return [line for line in shown.splitlines() if line != "..."]


def test_the_tests_are_those_of_the_checks() -> None:
    assert TESTS.strip() in (ROOT / ".ci/run").read_text(encoding="utf-8").replace(
        "pytest -q", "pytest"
    )
