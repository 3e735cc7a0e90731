"""Puts the mistakes of ``mutants.toml``, one by one, into a copy of the package.

``python -m tests.mutants`` says of each which test failed, and ends with 1 where none did;
``python -m tests.mutants breaker`` tries those alone whose file has the word in its name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/trigreason")
LONGEST_SECONDS = 120.0
FAILED = re.compile(r"(?m)^(?:FAILED|ERROR) (\S+)")


class Mutant(NamedTuple):
    """``old``, which stands once in ``file``, becomes ``new``; over that ``test`` must fail."""

    file: str
    old: str
    new: str
    test: str

    def __str__(self) -> str:
        return f"{self.file}: {self.old!r} -> {self.new!r}"

    @property
    def fits(self) -> bool:
        """Whether what is to be changed is there."""
        return (ROOT / PACKAGE / self.file).read_text().count(self.old) == 1


MUTANTS = [
    Mutant(file, old, new, test)
    for file, tests in tomllib.loads((ROOT / "tests/mutants.toml").read_text()).items()
    for test, changes in tests.items()
    for old, new in changes
]


class Copy:
    """The package and its tests in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for part in ("src", "tests"):
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=without)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def failing(self, tests: Iterable[str]) -> str | None:
        """The first of the tests that fails; None where all pass."""
        command = [sys.executable, "-m", "pytest", "-qx", "-n0", "--tb=no", "-rfE"]
        command += ["-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)]
        paths = {"PYTHONPATH": str(self._folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=os.environ | paths,
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"no end within {LONGEST_SECONDS:.0f} s"
        if done.returncode == 0:
            return None
        found = FAILED.search(done.stdout)
        if found is None:
            raise RuntimeError(f"no test ran:\n{done.stdout}{done.stderr}")
        return found[1]

    def failing_over(self, mutant: Mutant) -> str | None:
        """The test that fails over a mutant; None where it survives."""
        file = self._folder / PACKAGE / mutant.file
        right = file.read_text()
        file.write_text(right.replace(mutant.old, mutant.new))
        try:
            return self.failing([mutant.test])
        finally:
            file.write_text(right)


def main(word: str = "") -> int:
    tried = [mutant for mutant in MUTANTS if word in mutant.file]
    if lost := [str(mutant) for mutant in tried if not mutant.fits]:
        print("These fit the code no longer; write them anew:", *lost, sep="\n  ")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        if failing := copy.failing({mutant.test for mutant in tried}):
            print(f"Without any mutant a test fails already: {failing}")
            return 1
        survived = 0
        for mutant in tried:
            found = copy.failing_over(mutant)
            survived += found is None
            print(f"{mutant}\n    {found or 'SURVIVED'}", flush=True)
    print(f"{len(tried) - survived} of {len(tried)} mutants were noticed.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
