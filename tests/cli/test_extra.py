"""Without the packages of the extra ``evaluation``, each command that needs them says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
for name in ("filelock", "inspect_ai", "matplotlib", "numpy", "optuna"):
    sys.modules[name] = None  # importing it fails
from trigreason.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        "eval bundled",
        "calibrate --task bundled",
        "report logs",
        "paper run fig4 --quick",
        "paper all --quick",
    ],
)
def test_the_missing_extra_is_named(arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments.split()], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "trigreason: the evaluation is not installed; in the project's folder, "
        "uv sync --extra evaluation or pip install '.[evaluation]' installs it\n"
    )
