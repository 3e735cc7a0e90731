"""``trigreason calibrate``, with the real bundled pair where there is something to run."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import Command
from tests.studies.calibration.test_label_free import recorded
from trigreason.reasoning import Thresholds, trace_to_json
from trigreason.studies.calibration.ledger import RUNS

pytestmark = pytest.mark.slow

CONFIGURATION = """\
# mine
[engines.small]
url = "http://localhost:1/v1"
[engines.large]
url = "http://localhost:2/v1"
[pairs.qwen]
srm = "small"   # the small one
lrm = "large"
thresholds = { n = 0, accept = 5 }
"""


@pytest.fixture
def logs(tmp_path: Path) -> str:
    """Runs of the formula's pair (a double; see there), as other commands record them."""
    file = tmp_path / "srm.jsonl"
    lines = [json.dumps({"trace": trace_to_json(run.trace)}) for run in recorded(30)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "trigreason.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give recorded runs and --lrm-share"),
        (["logs", "--task", "bundled"], "give recorded runs and --lrm-share"),
        (["logs"], "--lrm-share is missing"),
        (["--task", "bundled", "--lrm-share", "0.3"], "--lrm-share belongs to a calibration from"),
        (["--task", "bundled", "--tau", "1.1"], "--tau belongs to a calibration from LOGS"),
        (["logs", "--lrm-share", "0.3", "--trials", "9"], "--trials belongs to a search"),
        (["--task", "bundled", "--write"], "the bundled pair stands in no configuration"),
        (
            ["--task", "bundled", "--write", "--profile-out", "p.toml"],
            "--write and --profile-out are two places",
        ),
        (["--task", "bundled", "--pair", "qwne"], "no pair is called"),
        (["--task", "bundle"], "there is no task 'bundle'"),
        (["--task", "bundled", "--held-out", "1"], "between 0 and 1"),
        (["--task", "bundled", "--limit", "4", "--held-out", "0.05"], "raise --limit"),
    ],
)
def test_wrong_use(
    command: Command,
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    command("calibrate", *arguments).check_complaint(2, told)
    assert not (tmp_path / "calibration").exists()


def test_a_share_without_labels(command: Command, logs: str) -> None:
    done = command("calibrate", logs, "--lrm-share", "0.4", "--n", "0", "--json")
    assert done.code == 0
    found = done.json
    assert found["lrm_share"]["low"] <= found["lrm_share"]["value"] <= found["lrm_share"]["high"]
    assert abs(found["lrm_share"]["value"] - 0.4) < 0.05
    assert found["runs"] == 30
    assert found["direction"] is None
    assert Thresholds.from_json(found["thresholds"]).n == 0


def test_what_is_said_without_labels(command: Command, logs: str) -> None:
    told = " ".join(command("calibrate", logs, "--lrm-share", "0.4", "--n", "0").out.split())
    assert "On 30 recorded runs of 30 questions the LRM then writes" in told
    assert "95 % interval" in told
    assert "Direction under, as pair bundled has it" in told
    assert "cannot say whether these are the wrong ones" in told
    assert "trigreason solve --pair bundled --n 0 --tau 1.05 --rho" in told
    flagged = command("calibrate", logs, "--lrm-share", "0.4", "--n", "0", "--direction", "over")
    assert "Direction over, as --direction says" in " ".join(flagged.out.split())


def test_thresholds_go_into_the_configuration(
    command: Command, logs: str, configuration: Path
) -> None:
    given = ["--config", str(configuration), "--pair", "qwen", "--write"]
    done = command("calibrate", logs, "--lrm-share", "0.4", *given, "--json")
    assert done.code == 0, done.err
    text = configuration.read_text(encoding="utf-8")
    thresholds = tomllib.loads(text)["pairs"]["qwen"]["thresholds"]
    assert thresholds["accept"] == 5
    assert Thresholds.from_json(thresholds) == Thresholds.from_json(done.json["thresholds"])
    assert 'srm = "small"   # the small one\n' in text
    assert "#: LRM share wanted 40.0 %" in text
    checked = command("config", "check", str(configuration), "--json").json
    assert checked["problems"] == []
    assert checked["pairs"]["qwen"]["thresholds"]["rho"] == thresholds["rho"]
    again = command("calibrate", logs, "--lrm-share", "0.6", *given)
    assert "+#: LRM share wanted 60.0 %" in again.out
    assert "-#: LRM share wanted 40.0 %" in again.out


def test_a_profile_of_its_own(command: Command, logs: str, tmp_path: Path) -> None:
    file = tmp_path / "profile.toml"
    done = command(
        "calibrate", logs, "--lrm-share", "0.4", "--n", "0", "--profile-out", str(file), "--json"
    )
    values = tomllib.loads(file.read_text(encoding="utf-8"))["thresholds"]
    assert values == {key: done.json["thresholds"][key] for key in values}


def test_no_runs(command: Command, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    done = command("calibrate", str(tmp_path / "none"), "--lrm-share", "0.4")
    done.check_complaint(1, "no recorded run")


@pytest.mark.slow
def test_a_search_with_the_bundled_pair(command: Command, tmp_path: Path) -> None:
    """Interrupted and begun again it finds the same, and nothing is run twice."""
    given = [
        *("calibrate", "--task", "bundled", "--limit", "28", "--trials", "4"),
        *("--temperature", "0", "--out", str(tmp_path / "runs"), "--json"),
        *("--figures", str(tmp_path / "pictures")),
    ]
    first = command(*given)
    assert first.code == 0, first.err
    found = first.json
    assert found["questions"] == {"search": 14, "held_out": 14}
    roles = [each["is_default"] for each in found["settings"]]
    assert roles.count(True) == 1
    lrm = next(each for each in found["settings"] if each["method"] == "lrm")
    assert lrm["held_out"]["smt"]["value"] == 0
    assert found["coin"] is not None
    for kind in ("png", "svg"):
        assert (tmp_path / "pictures" / f"calibration.{kind}").stat().st_size > 1000
    runs = tmp_path / "runs" / RUNS
    lines = runs.read_bytes().splitlines(keepends=True)
    runs.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[-1][:100])
    again = command(*given).json
    assert again["runs"]["asked"] == len(lines) - len(lines) // 2
    for each in (found, again):
        del each["runs"]
        for setting in each["settings"]:
            # What a closed stream still brings hangs on the clock; see Trace.fingerprint.
            del setting["held_out"]["lrm_tokens"]
    assert again == found
    tried = {(values["setting"], values["question"]) for values in map(json.loads, runs.open())}
    assert len(tried) == len(lines)


@pytest.mark.slow
def test_a_search_in_words(command: Command, tmp_path: Path) -> None:
    """The smallest search there is: too small to find anything, and it says what it measured."""
    done = command(
        *("calibrate", "--task", "bundled", "--limit", "7", "--trials", "1"),
        *("--temperature", "0", "--out", str(tmp_path)),
    )
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    for each in (
        "held-out questions, 95 % intervals",
        "default",
        "priming only, n1",
        "SRM only",
        "τ1.05",
    ):
        assert each in told
    assert "trigreason: anchors: 5 settings on" in done.err
