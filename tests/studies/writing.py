"""Recorded runs on disk, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from trigreason.evaluation.runs import Run
from trigreason.reasoning import trace_to_json


def write_runs(file: Path, runs: Sequence[Run]) -> Path:
    """One run per line, with its outcome where it has one."""
    lines = [
        json.dumps({"right": run.right, "sample": run.sample, "trace": trace_to_json(run.trace)})
        for run in runs
    ]
    file.write_text("\n".join(lines) + "\n")
    return file
