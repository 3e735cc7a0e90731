"""``trigreason replay`` over recorded runs of the bundled pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Command
from tests.studies.recordings import LRM, run, step
from tests.studies.writing import write_runs

SURE, UNSURE = (-0.01,) * 4, (-0.9,) * 4


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """Three runs of the SRM: ten steps each, of which two are unsure and none hesitates."""
    steps = [step(f"Step number {number} says this.\n\n", SURE) for number in range(8)]
    steps += [step(f"Unsure step number {number} here.\n\n", UNSURE) for number in range(2)]
    return str(write_runs(tmp_path / "runs.jsonl", [run(steps)] * 3))


def test_a_grid_of_settings(command: Command, recorded: str) -> None:
    told = command("replay", recorded, "--n", "0,3", "--rho", "1", "--rho", "0.85", "--json")
    assert told.code == 0
    rows = told.json["settings"]
    assert [(row["thresholds"]["n"], row["thresholds"]["rho"]) for row in rows] == [
        (0, 1.0),
        (0, 0.85),
        (3, 1.0),
        (3, 0.85),
    ]
    assert [row["smt"] for row in rows] == pytest.approx([1.0, 0.2, 0.7, 0.2])
    assert rows[3]["step_shares"]["strategic_priming"] == pytest.approx(0.3)
    assert rows[3]["step_shares"]["cognitive_offload"] == pytest.approx(0.5)
    assert rows[3]["handovers_per_run"]["cognitive_offload"] == 5
    assert [row["runs_fired_in"] for row in rows] == [0, 1, 1, 1]
    assert told.json["token_ratio_recorded"] is False


def test_the_table_shows_what_varies_and_says_what_it_rests_on(
    command: Command, recorded: str
) -> None:
    told = command("replay", recorded, "--direction", "over,under", "--n", "0", "--rho", "0.85")
    assert told.code == 0
    flat = " ".join(told.out.split())
    assert "3 runs replayed by TrigReason. The same throughout: n = 0, τ = 1.05" in flat
    assert "τ = 1.05, ρ = 0.85, k = 2, m = 1" in flat
    assert "direction offload" in flat
    assert "over 80 %" in flat
    assert "under 20 %" in flat
    assert "because no step of the LRM is recorded" in flat
    assert "nobody can know" in flat


def test_recorded_lrm_steps_say_how_long_they_are(command: Command, tmp_path: Path) -> None:
    own, others = [step("One.\n\n", SURE)] * 2, [step("Two.\n\n", SURE * 2, author=LRM)]
    file = write_runs(tmp_path / "runs.jsonl", [run(own), run(others)])
    told = command("replay", str(file), "--n", "1", "--rho", "1", "--json")
    assert told.json["left_out"] == 1
    assert (told.json["token_ratio"], told.json["token_ratio_recorded"]) == (2, True)
    assert told.json["settings"][0]["smt"] == pytest.approx(4 / (4 + 8))
    shown = command("replay", str(file), "--n", "1").out
    assert "1 run without a step of the SRM could not be replayed" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--rho", "0.8,x"), "--rho takes numbers, with commas between, not 'x'"),
        (("--rho", ""), "--rho takes numbers, with commas between, not ''"),
        (("--rho", "1.5"), "rho (a share of tokens)"),
        (("--direction", "sideways"), "--direction takes one of over, under"),
        (("--n", "1.5"), "--n takes whole numbers"),
    ],
)
def test_wrong_values_are_refused(
    command: Command, recorded: str, arguments: tuple[str, ...], told: str
) -> None:
    command("replay", recorded, *arguments).check_complaint(2, told)


def test_files_without_runs(command: Command, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    command("replay", str(tmp_path / "run.json")).check_complaint(1, "run.json: this is no trace")
    command("replay", str(tmp_path)).check_complaint(1, "no recorded run in this folder")
