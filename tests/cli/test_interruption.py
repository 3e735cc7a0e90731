"""Ctrl-C and closed pipes: nothing is left running, and nothing is printed that helps nobody."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.cli.commands import PROGRAM, finished, served, start
from tests.conftest import soon
from tests.scripted_server import chatter
from trigreason.reasoning import load_trace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "flags", [(), pytest.param(("--json",), marks=pytest.mark.slow)], ids=["shown", "json"]
)
async def test_ctrl_c_in_the_middle(tmp_path: Path, flags: tuple[str, ...]) -> None:
    file = tmp_path / "partial.json"
    async with served(lambda body: chatter("One step.\n\nAnother")) as model:
        process = await start(
            *("solve", "Why?", "--method", "srm", "--srm", model.url, "--trace", str(file), *flags)
        )
        assert await soon(lambda: model.open_streams == 1, seconds=30)
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGINT)
        left = await finished(process)
        assert await soon(lambda: model.open_streams == 0)
    assert left.code == 130
    said = f"trigreason: interrupted: what was written until then is in {file}"
    assert left.err.splitlines()[-1] == said
    assert len(left.err.splitlines()) == 1 + bool(flags), "a guessed template is told of before"
    assert ("One step." in left.out) is not bool(flags)
    assert load_trace(file.read_text()).steps[0].text == "One step.\n\n"


@pytest.mark.slow
async def test_ctrl_c_on_the_bundled_pair() -> None:
    process = await start("demo", "--count", "50")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), timeout=30)
    process.send_signal(signal.SIGINT)
    left = await finished(process)
    assert (left.code, left.err) == (130, "trigreason: interrupted\n")


@pytest.mark.parametrize(
    "arguments", ["demo --count 20", pytest.param("--help", marks=pytest.mark.slow)]
)
async def test_a_closed_pipe(arguments: str) -> None:
    line = f"{shlex.join(PROGRAM)} {arguments} | head -1; exit ${{PIPESTATUS[0]}}"
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", line),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80"},
    )
    left = await finished(shell)
    assert left.code in (0, 141)
    assert left.err == ""
    assert len(left.out.splitlines()) == 1
