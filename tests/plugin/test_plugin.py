"""A method that an installed package brings works in every command, and nothing here names it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.gateway.serving import GatewayProcess
from tests.servers import ROOT
from trigreason.reasoning import (
    Features,
    MethodRun,
    Step,
    Thresholds,
    Write,
    make_method,
    methods,
)

NAME = "every_nth"
QUESTION = "not ( True ) and ( True or False ) is"
Program = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, laid out as an installer leaves it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).with_name(f"{NAME}.py"), folder)
    facts = folder / f"{NAME}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[trigreason.methods]\n{NAME} = {NAME}:ENTRY\n")
    return folder


@pytest.fixture(scope="module")
def program(site: Path) -> Program:
    """Runs the program where the package is installed; returns its JSON, or its text."""

    def run_it(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "trigreason", *arguments],
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return run_it


def authors(trace: dict[str, Any]) -> list[str]:
    return [step["author"] for step in trace["steps"] if step["standing"]]


def check_every_third(written: list[str]) -> None:
    assert len(written) > 3
    assert [author == "lrm" for author in written] == [at % 3 == 2 for at in range(len(written))]


def test_nothing_else_names_it() -> None:
    own = Path(__file__).parent
    places = ("src/**/*.py", "tests/**/*.py", "tests/*.toml", "bench/**/*.py", "docs/*.md", "*.*")
    files = [file for place in places for file in ROOT.glob(place) if file.is_file()]
    assert len(files) > 500
    named = [file for file in files if own not in file.parents and NAME in file.read_text()]
    assert named == []
    assert NAME not in methods()


@pytest.mark.slow
def test_solve_and_trace_replay(program: Program, tmp_path: Path) -> None:
    trace = program("solve", "--json", "--method", NAME, "--n", "3", QUESTION)["trace"]
    check_every_third(authors(trace))
    assert trace["method"] == NAME
    assert set(trace["totals"]["handovers"]) == {"method"}
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(trace))
    told = program("trace", "replay", str(file), "--json")
    assert told["differing"] == [], told
    shown = program("trace", "show", str(file))
    assert "Every n-th" in shown
    assert "the method → LRM writes 1 step" in shown


def test_the_method_in_the_documentation(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "in_turns.py"
    file.write_text(code)
    entry = runpy.run_path(str(file))["ENTRY"]
    run = MethodRun(entry.make(Thresholds(n=3)), Thresholds())
    reading = run.read(Features(Step("So.\n\n", ())))
    decisions = [run.open(), *(run.on_step(reading) for _ in range(5))]
    assert [type(each) for each in decisions] == [Write] * 6
    assert "".join(each.author[0] for each in decisions if isinstance(each, Write)) == "sslssl"


@pytest.mark.slow
def test_serve(site: Path, tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, environment={"PYTHONPATH": str(site)})
    try:
        gateway.wait_until_ready()
        with urlopen(f"{gateway.url}/v1/models") as listed:
            assert f"bundled:{NAME}" in {each["id"] for each in json.load(listed)["data"]}
        asked = {
            "model": f"bundled:{NAME}:n=3",
            "messages": [{"role": "user", "content": QUESTION}],
        }
        request = Request(
            f"{gateway.url}/v1/chat/completions",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(request) as answered:
            told = json.load(answered)["trigreason"]
        assert set(told["handovers"]) == {"method"}
        assert told["method"] == NAME
    finally:
        gateway.stop()


@pytest.mark.slow
def test_eval_report_replay_and_calibrate(program: Program, tmp_path: Path) -> None:
    logs = str(tmp_path / "logs")
    asked = ("--limit", "4", "--logs", logs, "--json")
    compared = program("eval", "bundled", "--method", f"srm,lrm,{NAME}", "--n", "3", *asked)
    ours = next(arm for arm in compared["arms"] if arm["settings"]["method"] == NAME)
    assert 0 < ours["summary"]["smt"]["value"] < 1
    page = tmp_path / "report.html"
    program("report", logs, "--out", str(page))
    assert "Every n-th" in page.read_text()
    told = program("replay", logs, "--method", NAME, "--n", "0,3,2", "--json")
    shares = [each["step_shares"]["method"] for each in told["settings"]]
    assert shares[0] == 0 < shares[1] < shares[2] <= 0.5
    share = program("calibrate", logs, "--method", NAME, "--lrm-share", "0.3", "--json")
    assert share["thresholds"]["n"] in (2, 3, 5)
    searched = program(
        *("calibrate", "--task", "bundled", "--method", NAME, "--limit", "6", "--trials", "3"),
        *("--out", str(tmp_path / "search"), "--json"),
    )
    assert {each["method"] for each in searched["settings"]} >= {NAME, "srm", "lrm"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("nowhere:ENTRY", r"method broken \(nowhere:ENTRY\) does not load: No module"),
        ("json:dumps", r"method broken \(json:dumps\) is no MethodEntry"),
        (
            "trigreason.reasoning.methods.registry:BUILT_IN",
            r"method broken .* is no MethodEntry",
        ),
    ],
)
def test_a_broken_package(
    entry: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "broken-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[trigreason.methods]\nbroken = {entry}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    methods.cache_clear()
    try:
        with pytest.raises(ValueError, match=said):
            make_method("trigreason")
    finally:
        monkeypatch.undo()
        methods.cache_clear()
