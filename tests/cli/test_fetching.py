"""Models by name on the command line, from a double of the hub; the models are real."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cli.commands import QUESTION, Command, finished, start
from tests.doubles.hub import Repo, hub_double
from trigreason.bundled import LRM_FILE, SRM_FILE

REPOS = {
    "o/small": Repo({"small-Q8_0.gguf": SRM_FILE.read_bytes()}),
    "o/large": Repo({"large-Q4_K_M.gguf": LRM_FILE.read_bytes(), "large-Q8_0.gguf": b"GGUF"}),
}
SOLVE = ("solve", QUESTION, "--srm", "hf:o/small:q8_0", "--lrm", "hf:o/large", "--n", "2")
SHORT = ("--thinking-tokens", "300", "--answer-tokens", "32", "--temperature", "0")


@pytest.mark.slow
async def test_a_pair_is_fetched_and_answers_and_needs_no_hub_the_next_time(tmp_path: Path) -> None:
    async with hub_double(dict(REPOS)) as double:
        environment = {"HF_ENDPOINT": double.url, "HF_HOME": str(tmp_path)}
        first = await finished(await start(*SOLVE, *SHORT, "--quiet", **environment))
    assert first.code == 0, first.err
    lines = first.err.splitlines()
    assert "fetching small-Q8_0.gguf from o/small" in lines[0]
    assert lines[1] == "trigreason: small-Q8_0.gguf is here"
    assert lines[2].endswith("Q4_K_M chosen from Q4_K_M, Q8_0")
    assert lines[3] == "trigreason: large-Q4_K_M.gguf is here"
    again = await finished(await start(*SOLVE, *SHORT, "--quiet", **environment))
    assert (again.code, again.out, again.err) == (0, first.out, "")


@pytest.mark.slow
async def test_an_interrupted_download_goes_on_with_the_same_command(tmp_path: Path) -> None:
    async with hub_double(dict(REPOS)) as double:
        double.pause = 0.02
        environment = {"HF_ENDPOINT": double.url, "HF_HOME": str(tmp_path)}
        process = await start(*SOLVE, *SHORT, "--quiet", **environment)
        blobs = tmp_path / "hub" / "models--o--small" / "blobs"
        await asyncio.wait_for(double.sending.wait(), 60)
        process.send_signal(signal.SIGINT)
        left = await finished(process)
        assert left.code == 130
        assert left.err.splitlines()[-1] == (
            "trigreason: interrupted: what was fetched is kept; the same command goes on from there"
        )
        [partial] = blobs.glob("*.incomplete")
        here = partial.stat().st_size
        double.pause = 0.0
        double.served.clear()
        done = await finished(await start(*SOLVE, *SHORT, "--quiet", **environment))
    assert done.code == 0, done.err
    assert double.served[partial.name.partition(".")[0]] == [(here, SRM_FILE.stat().st_size)]


@pytest.mark.slow
async def test_offline_with_nothing_there_is_one_line(tmp_path: Path) -> None:
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = await finished(await start(*SOLVE, "--quiet", **environment))
    done.check_complaint(1, "hf:o/small:q8_0: is not in the cache", "Unset HF_HUB_OFFLINE")


def test_a_name_that_can_be_none_is_refused(command: Command) -> None:
    done = command("solve", "?", "--srm", "hf:qwen", "--lrm", "hf:o/large")
    done.check_complaint(1, "--srm: file: hf:qwen names no model", "write hf:ORG/REPO")


def test_a_configuration_may_name_models_on_the_hub(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(
        '[engines.a]\nfile = "hf:o/small:Q8_0"\n[engines.b]\nfile = "hf:o"\n', encoding="utf-8"
    )
    done = command("config", "check", str(file))
    assert done.code == 1
    assert "engines.b.file: hf:o names no model" in done.out
    file.write_text('[engines.a]\nfile = "hf:o/small:Q8_0"\n', encoding="utf-8")
    assert command("config", "check", str(file)).code == 0
    assert 'engines.a.file = "hf:o/small:Q8_0"' in command("config", "show", str(file)).out
