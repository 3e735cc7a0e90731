"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.commands import command

__all__ = ["command"]


@pytest.fixture(autouse=True)
def unconfigured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but a test's own, whatever there is on the machine that tests run on."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    for variable in os.environ:
        if variable.startswith(
            ("TRIGREASON_ENGINES__", "TRIGREASON_PAIRS__", "TRIGREASON_GATEWAY__")
        ):
            monkeypatch.delenv(variable)
    for variable in ("TRIGREASON_CONFIG", "TRIGREASON_PAIR"):
        monkeypatch.delenv(variable, raising=False)
