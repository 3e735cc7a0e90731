"""``trigreason simulate``: recorded runs under another deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import QUESTION, Command
from trigreason.cli.app import run

pytestmark = pytest.mark.slow

METHODS = ("lrm", "specreason", "trigreason")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for method in METHODS:
        file = str(folder / f"{method}.json")
        assert run(["solve", QUESTION, "--method", method, "--quiet", "--trace", file]) == 0
    return folder


def seconds(told: Any) -> dict[tuple[str, bool], float]:
    return {
        (each["method"], each["request_per_step"]): each["seconds"]["value"]
        for each in told["arms"]
    }


@pytest.mark.slow
def test_every_arm_is_told_with_its_seconds_and_costs(command: Command, logs: Path) -> None:
    shown = command("simulate", str(logs))
    assert shown.code == 0
    for told in (
        "edge-cloud-deepseek",
        "LRM only",
        "SpecReason",
        "TrigReason",
        "USD per 1,000",
        "against",
        "waiting",
    ):
        assert told in shown.out


def test_json_tells_the_same_in_numbers(command: Command, logs: Path) -> None:
    told = command("simulate", str(logs), "--requests", "both", "--json").json
    assert told["deployment"]["name"] == "edge-cloud-deepseek"
    arms = [(each["method"], each["request_per_step"]) for each in told["arms"]]
    assert arms == [
        ("lrm", False),
        ("specreason", True),
        ("specreason", False),
        ("trigreason", True),
        ("trigreason", False),
    ]
    assert all(each["usd"]["value"] > 0 for each in told["arms"])
    assert all(each["usd"]["low"] is None for each in told["arms"])  # one question, no interval
    assert [each["against"] for each in told["arms"][-1]["saved"]] == [
        "LRM only",
        "SpecReason",
        "SpecReason, per step",
    ]


def test_flags_change_the_deployment(command: Command, logs: Path) -> None:
    here = ("simulate", str(logs), "--json", "--first-token", "0", "--round-trip")
    near, far = (seconds(command(*here, way).json) for way in ("0", "2"))
    assert far["lrm", False] == pytest.approx(near["lrm", False] + 2)
    slow = seconds(command(*here, "0", "--lrm-rate", "1").json)
    assert slow["lrm", False] > 20 * near["lrm", False]


def test_a_file_is_a_deployment_and_without_prices_no_cost_is_shown(
    command: Command, logs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "home.toml"
    file.write_text("[lrm]\nround_trip = 3\n")
    told = command("simulate", str(logs), "--deployment", str(file), "--json").json
    assert seconds(told)["lrm", False] == 3
    assert "USD" not in command("simulate", str(logs), "--deployment", str(file)).out


def test_what_cannot_be_is_told_in_one_line(command: Command, logs: Path, tmp_path: Path) -> None:
    command("simulate", str(logs), "--deployment", "moon").check_complaint(2, "moon", "two-gpus")
    command("simulate", str(logs), "--lrm-rate", "0").check_complaint(2, "above 0 tokens/s")
    command("simulate", str(tmp_path)).check_complaint(1, "no recorded run")
    trace = json.loads((logs / "lrm.json").read_text())
    trace["stretches"] = []
    (tmp_path / "bare.json").write_text(json.dumps(trace))
    command("simulate", str(tmp_path)).check_complaint(1, "how long its prompt was")
