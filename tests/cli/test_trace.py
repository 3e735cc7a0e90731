"""``trigreason trace``: recorded runs shown and replayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import QUESTION, Command
from trigreason.cli.app import run
from trigreason.reasoning import StopReason, load_trace, trace_to_json

BUSY = ("--n", "2", "--rho", "0.9", "--direction", "under", "--k", "1", "--temperature", "1.5")
"""Thresholds under which the triggers fire again and again."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("trace") / "trace.json"
    assert run(["solve", QUESTION, *BUSY, "--quiet", "--trace", str(file)]) == 0
    return file.read_text()


@pytest.fixture
def recorded(record: str, tmp_path: Path) -> Path:
    file = tmp_path / "trace.json"
    file.write_text(record)
    return file


@pytest.mark.slow
@pytest.mark.parametrize("method", ["trigreason", "specreason", "srm", "lrm"])
def test_a_recorded_run_is_shown_as_it_was(command: Command, tmp_path: Path, method: str) -> None:
    file = tmp_path / "trace.json"
    live = command("solve", QUESTION, *BUSY, "--method", method, "--trace", str(file))
    shown = command("trace", "show", str(file))
    assert shown.code == 0
    assert shown.out.endswith(live.out)
    assert " ".join(QUESTION.split()[:5]) in shown.out


def test_an_unfinished_run_is_shown(command: Command, recorded: Path) -> None:
    trace = load_trace(recorded.read_text())
    trace.steps, trace.answer, trace.stop = trace.steps[:4], "", None
    recorded.write_text(json.dumps(trace_to_json(trace)))
    assert "did not come to its end" in command("trace", "show", str(recorded)).out
    assert command("trace", "replay", str(recorded)).code == 0


def test_a_closed_thinking_is_said(command: Command, recorded: Path) -> None:
    trace = load_trace(recorded.read_text())
    trace.stop, trace.limit = StopReason.CLOSED, "thinking_tokens"
    recorded.write_text(json.dumps(trace_to_json(trace)))
    told = " ".join(command("trace", "show", str(recorded)).out.split())
    assert "closed for the models at its limit; --thinking-tokens" in told


def test_replay_reproduces_every_decision(command: Command, recorded: Path) -> None:
    told = command("trace", "replay", str(recorded))
    assert told.code == 0
    assert "every one as recorded" in told.out
    counts = command("trace", "replay", str(recorded), "--json").json
    assert counts["reproduced"] == counts["decisions"] > 0
    assert counts["differing"] == []


def test_replay_takes_what_solve_prints_as_json(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text(command("solve", QUESTION, "--json").out)
    assert command("trace", "replay", str(file)).code == 0


def test_replay_sees_a_record_that_was_changed(command: Command, recorded: Path) -> None:
    trace = json.loads(recorded.read_text())
    trace["thresholds"]["n"] += 1
    recorded.write_text(json.dumps(trace))
    told = command("trace", "replay", str(recorded))
    assert told.code == 1
    assert "recorded otherwise" in told.out
    assert command("trace", "replay", str(recorded), "--json").json["differing"]


def test_other_thresholds_fire_otherwise(command: Command, recorded: Path) -> None:
    def offloads(rho: str) -> dict[str, Any]:
        flags = ("--direction", "under", "--rho", rho, "--m", "0")
        told = command("trace", "replay", str(recorded), *flags, "--json")
        assert told.code == 0
        values: dict[str, Any] = told.json
        return values

    never, always = offloads("1"), offloads("0.999")
    assert never["now"] == {}
    assert always["now"].get("cognitive_offload", 0) >= always["then"].get("cognitive_offload", 0)
    assert {step["then"] for step in never["steps"]} == {step["then"] for step in always["steps"]}
    shown = command("trace", "replay", str(recorded), "--rho", "1", "--m", "0")
    assert "would go another way" in shown.out


def test_other_words_hesitate(command: Command, recorded: Path) -> None:
    told = command("trace", "replay", str(recorded), "--hesitation", "is", "--json").json
    assert {tuple(step["hesitations"]) for step in told["steps"]} <= {(), ("is",)}


def test_specreason_primes_by_its_own_number(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    flags = ("--method", "specreason", "--judge-first", "2")
    live = command("solve", QUESTION, *flags, "--trace", str(file))
    assert "writes the first 2 steps" in live.out
    assert command("trace", "show", str(file)).out.endswith(live.out)


def test_a_run_without_srm_steps(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    command("solve", QUESTION, "--method", "lrm", "--quiet", "--trace", str(file))
    assert "The SRM wrote no step" in command("trace", "replay", str(file), "--rho", "0.5").out


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "nonsense",
        "[" * 200_000,
        "[]",
        "{}",
        '{"schema": 99}',
        '{"schema": 1}',
        b"\xff\xfe",
        {"models": []},
        {"prices": "free"},
        {"steps": 3},
        {"steps": [3]},
        {"method": "guess"},
        {"stop": "tired"},
        {"thresholds": {"rho": "high"}},
        {"thresholds": {"zeta": 1}},
        {"messages": [{"role": "user"}]},
    ],
    ids=lambda damage: str(damage)[:40],
)
@pytest.mark.parametrize("what", ["show", "replay"])
def test_a_damaged_trace(
    command: Command, recorded: Path, what: str, damage: str | bytes | dict[str, Any]
) -> None:
    if isinstance(damage, dict):
        damage = json.dumps(json.loads(recorded.read_text()) | damage)
    recorded.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    command("trace", what, str(recorded)).check_complaint(1, str(recorded))


@pytest.mark.parametrize("what", ["show", "replay"])
def test_no_trace_at_all(command: Command, what: str) -> None:
    command("trace", what, "/nowhere/at/all").check_complaint(1, "Check the path")


def test_thresholds_out_of_range(command: Command, recorded: Path) -> None:
    told = command("trace", "replay", str(recorded), "--rho", "7")
    told.check_complaint(2, "between 0 and 1")


def test_a_page_of_one_run_or_two(command: Command, recorded: Path, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    told = command("trace", "page", str(recorded), "-o", str(page))
    assert (told.code, told.err) == (0, "")
    assert f"shows 1 run ({page.stat().st_size // 1000} kB)" in " ".join(told.out.split())
    alone = page.read_text()
    assert alone.startswith("<!doctype html>")
    assert command("trace", "page", str(recorded), str(recorded), "-o", str(page)).code == 0
    assert len(page.read_text()) > len(alone)
    three = [str(recorded)] * 3
    command("trace", "page", *three, "-o", str(page)).check_complaint(2, "at most 2 traces, not 3")


def test_a_page_that_cannot_be_written(command: Command, recorded: Path, tmp_path: Path) -> None:
    told = command("trace", "page", str(recorded), "-o", str(tmp_path))
    told.check_complaint(2, "is a folder; --out wants a file")
    there = tmp_path / "no" / "run.html"
    told = command("trace", "page", str(recorded), "-o", str(there))
    told.check_complaint(2, "there is no folder", "for the page")
