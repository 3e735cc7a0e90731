"""Other people's tasks by Inspect's own command, and the samples in its viewer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import pytest

from trigreason.bundled import problems
from trigreason.evaluation.logs import read_log

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("inspect_evals") is None,
        reason="inspect-evals is not installed (uv sync --group evals)",
    ),
]

INSPECT = str(Path(sys.executable).parent / "inspect")
FAMILY = "object_counting"
SERVER_SECONDS = 60


def dataset_in(folder: Path) -> None:
    """The data set of ``inspect_evals/bbh`` under the name by which it is loaded, found here."""
    place = folder / "Joschka" / "big_bench_hard"
    place.mkdir(parents=True)
    asked = [each for each in problems() if each.family == FAMILY]
    rows = [{"question": each.question, "target": each.target} for each in asked]
    tables = {FAMILY: rows, "few_shot_prompts": [{"dataset_name": FAMILY}]}
    head = "---\nconfigs:\n"
    for name, lines in tables.items():
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
        head += f"- config_name: {name}\n  data_files:\n  - split: {name}\n    path: {name}.jsonl\n"
    (place / "README.md").write_text(f"{head}---\n")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bbh")
    dataset_in(folder)
    offline = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [INSPECT, "eval", "inspect_evals/bbh", "--model", "trigreason/bundled"]
    options = f"-T subset_name={FAMILY} -T prompt_type=zero_shot -M n=2 --limit 3 --epochs 2"
    where = ["--log-dir", str(folder / "logs"), "--display", "plain"]
    done = subprocess.run(
        [*command, *options.split(), *where],
        cwd=folder,
        env=os.environ | offline,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "logs"


def test_a_task_of_inspect_evals_runs_on_the_bundled_pair(logs: Path) -> None:
    (log,) = logs.glob("*.eval")
    runs = list(read_log(log))
    assert len(runs) == 3 * 2
    assert {run.task for run in runs} == {"bbh"}
    assert {run.trace.thresholds.n for run in runs} == {2}
    assert {run.trace.sampling["temperature"] for run in runs} == {0}, "as that task says"
    assert all(run.question.startswith("Make sure you output") for run in runs)
    assert all(run.trace.thinking and run.right is not None for run in runs)


def test_inspects_viewer_shows_the_reasoning(logs: Path) -> None:
    (log,) = logs.glob("*.eval")
    thinking = {run.trace.thinking.strip() for run in read_log(log)}
    with viewer(logs) as url:
        (listed,) = got(f"{url}/api/logs")["files"]
        assert listed["task"] == "bbh"
        shown = got(f"{url}/api/logs/{quote(listed['name'], safe='')}")
        samples = shown["samples"]
    seen = {
        part["reasoning"]
        for sample in samples
        for part in sample["messages"][-1]["content"]
        if part["type"] == "reasoning"
    }
    assert seen == thinking


@contextmanager
def viewer(logs: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [INSPECT, "view", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-dir", str(logs)], stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def got(url: str) -> Any:
    directly = build_opener(ProxyHandler({}))
    until = time.monotonic() + SERVER_SECONDS
    while True:
        try:
            with directly.open(url, timeout=SERVER_SECONDS) as answer:
                return json.loads(answer.read())
        except URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
