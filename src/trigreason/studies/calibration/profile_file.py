"""Writes a profile into a configuration file: whole or not at all, after reading it back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

from trigreason.configuration import planned_pair, read_configuration
from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.profile import KEYS, OTHER_KEYS, with_profile


def write_profile(file: Path, pair: str, thresholds: Thresholds, evidence: Sequence[str]) -> str:
    """Give a pair of the configuration these thresholds; returns the change as a diff.

    Raises:
        ValueError: the configuration is wrong or cannot be changed safely, or would not give the
            pair these thresholds. The file then stays as it was.
        OSError: the file cannot be read or written.
    """
    read_configuration(file, {})
    target = file.resolve()
    old = target.read_bytes().decode()
    new = with_profile(old, pair, thresholds, evidence)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(new.encode())
        shutil.copymode(target, part)
        _check(part, pair, thresholds)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    return "".join(unified_diff(before, after, f"{file} (before)", str(file)))


def _check(file: Path, pair: str, thresholds: Thresholds) -> None:
    """Raises ValueError unless the configuration gives the pair the chosen thresholds."""
    read = planned_pair(read_configuration(file, {}), pair).settings.thresholds
    for key in (*KEYS, *OTHER_KEYS):
        if getattr(read, key) != getattr(thresholds, key):
            raise ValueError(f"{key} does not come out as chosen; write the thresholds by hand")
