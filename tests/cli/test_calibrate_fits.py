"""``trigreason calibrate`` of methods that are fitted to recorded runs without labels."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import Command
from tests.cli.test_calibrate_learned import logged
from tests.studies.calibration.test_confidence_fitting import runs
from tests.studies.calibration.test_cue_fitting import runs as cued_runs
from tests.studies.calibration.test_label_free import recorded

pytestmark = pytest.mark.slow


@pytest.fixture
def logs(tmp_path: Path) -> str:
    return logged(runs((60, 0.6, 0.05), (90, 0.9, 0.02)), tmp_path / "srm.jsonl")


def test_steer_needs_no_share(command: Command, logs: str, tmp_path: Path) -> None:
    steer = ("calibrate", logs, "--method", "steer")
    found = command(*steer, "--json").json
    unsure, sure = found["mixture"]["unsure"], found["mixture"]["sure"]
    assert (unsure["mean"], sure["mean"]) == pytest.approx((0.6, 0.9), abs=0.02)
    assert 0.65 < found["thresholds"]["confidence"] < 0.87
    assert found["wanted_lrm_share"] is None
    assert found["lrm_share"]["value"] == pytest.approx(0.4, abs=0.02)
    file = tmp_path / "profile.toml"
    told = " ".join(command(*steer, "--profile-out", str(file)).out.split())
    assert f"confidence = {found['thresholds']['confidence']}" in told
    assert "Two Gaussians were fitted to the confidence of 150 steps" in told
    assert "wanted" not in told
    written = file.read_text(encoding="utf-8")
    assert "#: 150 recorded runs of 1 questions, no labels; two Gaussians of 150 steps" in written
    assert tomllib.loads(written)["thresholds"]["confidence"] == found["thresholds"]["confidence"]


@pytest.mark.slow
def test_steer_with_a_share(command: Command, logs: str) -> None:
    steer = ("calibrate", logs, "--method", "steer", "--lrm-share", "0.2")
    found = command(*steer, "--json").json
    assert found["mixture"] is None
    assert found["lrm_share"]["value"] == pytest.approx(0.2, abs=0.01)
    confidence = found["thresholds"]["confidence"]
    use = f"solve --pair bundled --method steer --confidence {confidence}"
    assert use in " ".join(command(*steer).out.split())


def test_runs_that_say_too_little(command: Command, tmp_path: Path) -> None:
    few = logged(recorded(4), tmp_path / "few.jsonl")
    done = command("calibrate", few, "--method", "steer")
    done.check_complaint(1, "a mixture needs 30: record more runs, or give --lrm-share")


def test_relaygen_needs_no_share(command: Command, tmp_path: Path) -> None:
    logs, file = logged(cued_runs(), tmp_path / "srm.jsonl"), tmp_path / "profile.toml"
    relaygen = ("calibrate", logs, "--method", "relaygen")
    found = command(*relaygen, "--json").json
    assert found["thresholds"]["cues"] == ["so", "then"]
    assert [each["word"] for each in found["switch_cues"]["candidates"]] == ["so", "then", "hm"]
    told = " ".join(command(*relaygen).out.split())
    assert told.startswith("cues = so | then On 6 recorded runs")
    assert "those above 0.600, the margin of all tokens" in told
    assert "so 6 0.900" in told
    assert "solve --pair bundled --method relaygen --cue so --cue then" in told
    command(*relaygen, "--profile-out", str(file))
    written = file.read_text(encoding="utf-8")
    assert "no labels; margins of 18 steps, 0." in written
    assert tomllib.loads(written)["thresholds"]["cues"] == ["so", "then"]
