"""Comparisons that are killed or interrupted in the middle, and gone on with."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import finished
from tests.conftest import soon
from trigreason.evaluation.logs import read_log
from trigreason.evaluation.recorded import log_files

pytestmark = pytest.mark.slow

COUNTING = """
import sys
from inspect_ai.hooks import Hooks, hooks
from trigreason.cli import main

counted = sys.argv.pop(1)

@hooks(name="count", description="Writes down every run that ends well.")
class Count(Hooks):
    async def on_sample_end(self, data):
        sample = data.sample
        if sample.error is None:
            with open(counted, "a") as file:
                print(sample.metadata["run"]["method"], sample.id, sample.epoch, file=file)

main()
"""
Key = tuple[str, str, int]


async def begun(counted: Path, *arguments: str) -> Process:
    """The program as a user has it, but for a file in which it counts the runs that end."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COUNTING, str(counted), "eval", "bundled", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"XDG_DATA_HOME": str(counted.parent / "data")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def table(counted: Path, *arguments: str) -> tuple[Any, str]:
    """What a run of the program to its end prints, without what hangs on the clock or the place."""
    left = await finished(await begun(counted, *arguments, "--json"))
    assert left.code == 0, left.err
    told = left.json
    for arm in told["arms"]:
        assert arm["complete"]
        del arm["clock"], arm["logs"]
    return told, left.err


async def stopped(counted: Path, runs: int, by: signal.Signals, *arguments: str) -> tuple[int, str]:
    """The exit code and standard error of the program, stopped when so many runs have ended."""
    process = await begun(counted, *arguments)
    assert await soon(lambda: len(lines(counted)) >= runs, seconds=120)
    process.send_signal(by)
    left = await finished(process)
    return left.code, left.err


def lines(counted: Path) -> list[str]:
    return counted.read_text().splitlines() if counted.exists() else []


def recorded(logs: Path) -> dict[Key, float]:
    """The seconds that each run took, which are different where it was made again."""
    runs = (run for file in log_files([logs]) for run in read_log(file))
    return {(run.trace.method, run.sample, run.epoch): run.trace.seconds for run in runs}


async def test_killed_half_way_it_comes_to_the_same(tmp_path: Path) -> None:
    asked = ("--method", "srm,lrm,specreason,trigreason", "--epochs", "2", "--limit", "12")
    planned = 4 * 2 * 12
    counted, logs = tmp_path / "counted", tmp_path / "logs"
    broken = (*asked, "--logs", str(logs))

    code, _ = await stopped(counted, planned // 2, signal.SIGKILL, *broken)
    assert code == -signal.SIGKILL
    kept = recorded(logs)
    assert planned // 2 <= len(kept) < planned
    by_arm = Counter(method for method, _, _ in kept)
    assert len(by_arm) == 4, "the arms advance side by side"

    resumed, told = await table(counted, *broken)
    assert f"{planned} runs, {len(kept)} of them there" in told
    made = Counter(lines(counted))
    assert max(made.values()) == 1, "no run that ended was made again"
    final = recorded(logs)
    assert len(final) == planned
    assert {key: final[key] for key in kept} == kept
    assert len(log_files([logs])) == 4

    unbroken, _ = await table(tmp_path / "others", *asked, "--logs", str(tmp_path / "unbroken"))
    assert resumed == unbroken
    again, told = await table(counted, *broken)
    assert (again, told) == (unbroken, "")
    assert Counter(lines(counted)) == made, "a complete comparison is only read"


async def test_interrupted_it_says_how_to_go_on(tmp_path: Path) -> None:
    counted, logs = tmp_path / "counted", tmp_path / "logs"
    asked = ("--method", "lrm,trigreason", "--limit", "12", "--logs", str(logs))
    code, told = await stopped(counted, 6, signal.SIGINT, *asked)
    kept = recorded(logs)
    assert code == 130
    assert told.splitlines()[-1] == (
        f"trigreason: interrupted: {len(kept)} of 24 runs are in {logs}; "
        "the same command goes on from there"
    )
    assert 6 <= len(kept) < 24
    await table(counted, *asked)
    assert max(Counter(lines(counted)).values()) == 1
    final = recorded(logs)
    assert {key: final[key] for key in kept} == kept
