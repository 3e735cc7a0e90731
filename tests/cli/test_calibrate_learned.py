"""``trigreason calibrate --method learned``, and the profile that it writes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import Command
from tests.cli.test_calibrate import CONFIGURATION
from tests.studies.calibration.test_label_free import recorded
from tests.studies.calibration.test_risk_fitting import checked_runs
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds, trace_to_json

pytestmark = pytest.mark.slow

SHARE = ("--method", "learned", "--lrm-share", "0.3")


def logged(runs: list[Run], file: Path) -> str:
    lines = [json.dumps({"trace": trace_to_json(run.trace)}) for run in runs]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


@pytest.fixture
def logs(tmp_path: Path) -> str:
    return logged(checked_runs(), tmp_path / "srm.jsonl")


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    file = tmp_path / "trigreason.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    return str(file)


def test_a_learned_risk(command: Command, logs: str) -> None:
    found = command("calibrate", logs, *SHARE, "--json").json
    assert found["method"] == "learned"
    assert (found["risk"]["labelled_by"], found["risk"]["wrong"]) == ("step", 10)
    assert found["risk"]["auc"]["risk"]["value"] > 0.95
    assert found["risk"]["log_loss"] < found["risk"]["log_loss_of_a_constant"]
    thresholds = Thresholds.from_json(found["thresholds"])
    assert thresholds.risk_model is not None
    assert 0 < thresholds.risk < 1


def test_what_is_said_of_it(command: Command, logs: str) -> None:
    done = command("calibrate", logs, *SHARE)
    told = " ".join(done.out.split())
    assert "The risk is learned from" in told
    assert "10 of them wrong." in told
    assert "AUC for a wrong step, on questions that were left out of the fit: risk" in told
    assert "The odds that a step is wrong are" in told
    assert "To keep it, with its evidence: add --profile-out FILE" in told
    assert "To use it" not in told, "no flag takes a model"


def test_without_outcomes_the_choice_is_trigreasons(command: Command, tmp_path: Path) -> None:
    logs = logged(recorded(30), tmp_path / "unlabelled.jsonl")
    done = command("calibrate", logs, *SHARE, "--n", "0")
    assert done.code == 0
    told = " ".join(done.out.split())
    assert told.startswith("No risk is learned: it needs runs that the SRM finished alone")
    assert "n = 0, τ = 1.05, ρ = " in told
    plain = command("calibrate", logs, "--lrm-share", "0.3", "--n", "0", "--json").json
    fallen_back = command("calibrate", logs, *SHARE, "--n", "0", "--json").json
    assert fallen_back.pop("no_risk").startswith("No risk is learned")
    assert plain.pop("no_risk") is None
    assert fallen_back == plain


@pytest.mark.slow
def test_the_model_goes_into_the_configuration_and_out_again(
    command: Command, logs: str, configuration: str
) -> None:
    own = ("--config", configuration, "--pair", "qwen")
    done = command("calibrate", logs, *SHARE, *own, "--write")
    assert done.code == 0, done.err
    text = Path(configuration).read_text(encoding="utf-8")
    assert "#: 20 recorded runs of 20 questions, risk model of" in text
    assert "AUC, cross-validated: " in text
    read = Thresholds.from_json(tomllib.loads(text)["pairs"]["qwen"]["thresholds"])
    assert read.risk_model is not None
    shown = command("profile", "show", *own)
    told = " ".join(shown.out.split())
    assert "Pair qwen" in told
    assert f"risk {read.risk}" in told
    assert "lowest logprob, nats" in told
    assert command("profile", "show", *own, "--json").json["thresholds"] == read.to_json()
    again = command("calibrate", logs, *SHARE, *own, "--write")
    assert again.code == 0, again.err
    plain = command("calibrate", logs, "--lrm-share", "0.4", *own, "--write")
    assert plain.code == 0, plain.err
    text = Path(configuration).read_text(encoding="utf-8")
    kept = Thresholds.from_json(tomllib.loads(text)["pairs"]["qwen"]["thresholds"])
    assert kept.risk_model == read.risk_model, "another method's calibration leaves it alone"


def test_a_pair_without_a_model(command: Command, configuration: str) -> None:
    shown = command("profile", "show", "--config", configuration, "--pair", "qwen")
    assert "There is no risk model, which the method learned needs" in shown.out


def test_a_damaged_model_is_refused_where_it_stands(command: Command, configuration: str) -> None:
    file = Path(configuration)
    curve = '{ signal = "luck", at = [0.0], logits = [1.0] }'
    model = f"risk_model = {{ intercept = 0.0, curves = [{curve}] }}"
    file.write_text(CONFIGURATION.replace("accept = 5", model), encoding="utf-8")
    done = command("profile", "show", "--config", configuration, "--pair", "qwen")
    done.check_complaint(1, "pairs.qwen.thresholds.risk_model")
    assert "signals are ratio" in " ".join(done.err.split())


def test_a_method_without_its_model_says_what_to_do(command: Command) -> None:
    nobody = "http://127.0.0.1:9"
    done = command("solve", "--method", "learned", "1 + 1?", "--srm", nobody, "--lrm", nobody)
    done.check_complaint(2, "trigreason calibrate LOGS --method learned")
