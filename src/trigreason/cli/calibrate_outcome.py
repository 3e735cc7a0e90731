"""The two ways to calibrate, and the output of their results: screen, JSON and files."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from rich.text import Text

from trigreason import __version__
from trigreason.cli.calibrate_fits import fitted_as_json, fitted_in_words, no_risk_in_words
from trigreason.cli.calibrate_progress import Calibrating
from trigreason.cli.calibrate_words import (
    as_flags,
    front_table,
    share_in_words,
    verdict,
)
from trigreason.cli.console import print_json, screen
from trigreason.cli.words import counted
from trigreason.configuration import BUNDLED
from trigreason.evaluation.recorded import read_runs
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds, method_entry
from trigreason.studies.calibration.confidence_fitting import fit_confidence
from trigreason.studies.calibration.cue_fitting import fit_cues
from trigreason.studies.calibration.direction import supported
from trigreason.studies.calibration.evidence import Fitted, Source, of_search, of_share
from trigreason.studies.calibration.job import Job, carry_out
from trigreason.studies.calibration.label_free import Budgeted, fit_share
from trigreason.studies.calibration.labelled import Calibration, SettingRow
from trigreason.studies.calibration.picture import draw_front
from trigreason.studies.calibration.profile import profile_toml
from trigreason.studies.calibration.profile_file import write_profile
from trigreason.studies.calibration.risk_fitting import fit_risk
from trigreason.studies.calibration.search import expected_runs
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.replaying import recorded_token_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a calibration's result goes, besides standard output.

    ``configuration`` and ``profile`` are the files that get the thresholds, if any, and
    ``figures`` is the folder of pictures.
    """

    pair: str
    configuration: Path | None
    profile: Path | None
    figures: Path | None
    as_json: bool

    def write(self, thresholds: Thresholds, evidence: Sequence[str]) -> dict[str, str]:
        """Write the thresholds into the files, if any; returns what was done, by file name."""
        done: dict[str, str] = {}
        if self.profile is not None:
            self.profile.write_text(profile_toml(thresholds, evidence), encoding="utf-8")
            done[str(self.profile)] = "written"
        if self.configuration is not None:
            diff = write_profile(self.configuration, self.pair, thresholds, evidence)
            done[str(self.configuration)] = diff
        return done

    def tell(self, method: str, thresholds: Thresholds, done: dict[str, str]) -> None:
        """Say what was written, or how the thresholds can be used."""
        out = screen()
        for file, change in done.items():
            out.print()
            out.print(Text(change if "\n" in change else f"{file} is written.", "dim"))
        if not done:
            option = "--profile-out FILE" if self.pair == BUNDLED else "--write"
            if "risk_model" not in method_entry(method).decides_by:
                use = f"trigreason solve --pair {self.pair} {as_flags(method, thresholds)}"
                out.print(Text(f"To use it: {use}"))
            out.print(Text(f"To keep it, with its evidence: add {option}.", "dim"))


def from_logs(
    logs: Sequence[Path],
    method: str,
    wanted: float | None,
    base: Thresholds,
    direction: str,
    seed: int,
    destination: Destination,
) -> None:
    """Choose the method's thresholds from recorded runs, and print the expected share.

    Where a risk model is wanted and the outcomes give none, TrigReason is calibrated. Without a
    wanted share, the thresholds are those that the method's own fit to the runs gives.
    """
    runs = list(read_runs(logs))
    ratio = recorded_token_ratio(runs) or 1.0
    fitted: Fitted | None = None
    doubt: str | None = None
    if "risk_model" in method_entry(method).decides_by:
        risk = fit_risk(runs, base, seed)
        if risk is None or not risk.marks_errors:
            doubt = no_risk_in_words(risk)
            method = "trigreason"
        else:
            base, fitted = replace(base, risk_model=risk.model), risk
    elif wanted is None:
        base, fitted = _fitted_alone(runs, method, base, seed)
    found = fit_share(runs, wanted, base, method=method, token_ratio=ratio, seed=seed)
    evidence = of_share(found, _source(counted(len(runs), "run")), direction, fitted)
    done = destination.write(found.thresholds, evidence)
    if destination.as_json:
        print_json(_share_as_json(found, fitted) | {"no_risk": doubt, "written": done})
        return
    out = screen()
    if doubt:
        out.print(Text(doubt, "note"))
    for line in share_in_words(found, direction):
        out.print(line)
    if fitted is not None:
        out.print()
        for part in fitted_in_words(fitted):
            out.print(part)
    destination.tell(method, found.thresholds, done)


def _fitted_alone(
    runs: Sequence[Run], method: str, base: Thresholds, seed: int
) -> tuple[Thresholds, Fitted]:
    """``base`` with the threshold that the runs determine without a wanted share."""
    if "cues" in method_entry(method).decides_by:
        cues = fit_cues(runs)
        return replace(base, cues=cues.easy()), cues
    mixture = fit_confidence(runs, seed)
    return replace(base, confidence=round(mixture.threshold, 4)), mixture


def with_labels(job: Job, data: str, destination: Destination) -> None:
    """Search, measure on held-out questions, and print the front."""
    parts = job.parts()
    expected = expected_runs(job.trials, len(parts.search), len(parts.held_out)) * job.epochs
    progress = Calibrating(expected, job.epochs)
    try:
        with progress.shown():
            found, conditions = asyncio.run(carry_out(job, progress.enter, progress.watch))
    except KeyboardInterrupt as interruption:
        kept = f"{job.folder} keeps {counted(progress.done, 'run')}"
        raise KeyboardInterrupt(f"{kept}; the same command goes on from there") from interruption
    evidence = of_search(found, _source(data), conditions)
    thresholds = found.recommended.thresholds
    done = destination.write(thresholds, evidence)
    pictures = draw_front(found, destination.figures) if destination.figures else []
    runs = {"asked": progress.asked, "folder": str(job.folder)}
    if destination.as_json:
        files = {"written": done, "figures": list(map(str, pictures))}
        print_json(_front_as_json(found) | {"evidence": evidence, "runs": runs} | files)
        return
    out = screen()
    out.print(front_table(found))
    out.print()
    for line in verdict(found):
        out.print(line)
    made = f"{counted(progress.asked, 'run')} made now; all that there are stay in {job.folder}."
    out.print(Text(made, "dim"))
    for picture in pictures:
        out.print(Text(f"{picture} is drawn.", "dim"))
    destination.tell(job.method, thresholds, done)


def _source(data: str) -> Source:
    command = shlex.join(["trigreason", *sys.argv[1:]])
    return Source(command=command, date=date.today().isoformat(), version=__version__, data=data)


def _front_as_json(found: Calibration) -> dict[str, Any]:
    """The whole result; shares are fractions of 1, costs USD per run."""
    return {
        "against": found.thrift_name,
        "thresholds": found.recommended.thresholds.to_json(),
        "questions": {"search": found.questions[0], "held_out": found.questions[1]},
        "accuracy_gain": found.accuracy._asdict(),
        f"{found.thrift_name}_gain": found.thrift._asdict(),
        "coin": None
        if found.coin is None
        else {
            "one": _setting_as_json(found.coin.one),
            "other": _setting_as_json(found.coin.other),
            "other_weight": found.coin.weight,
            "accuracy_gain": found.coin.gain._asdict(),
        },
        "settings": [_row_as_json(found, row) for row in found.rows],
    }


def _row_as_json(found: Calibration, row: SettingRow) -> dict[str, Any]:
    search = None
    if row.search is not None:
        accuracy, thrift = row.search.point(found.thrift_name)
        search = {"accuracy": accuracy, found.thrift_name: _as_cost(found, thrift)}
    return {
        **_setting_as_json(row.setting),
        "is_recommended": row.setting == found.recommended,
        "is_default": row.setting == found.default,
        "is_on_front": row.setting in found.on_front,
        "is_no_worse_than_default": found.is_no_worse(row.setting),
        "search": search,
        "held_out": {
            "accuracy": row.accuracy._asdict(),
            "smt": row.smt._asdict() if row.smt else None,
            "usd": row.usd._asdict() if row.usd else None,
            "lrm_tokens": row.held_out.per_run(lambda each: each.lrm_tokens),
            "lrm_requests": row.held_out.per_run(lambda each: each.lrm_requests),
            "drafts": row.held_out.per_run(lambda each: each.drafts),
            "truncated": row.held_out.per_run(lambda each: each.truncated),
        },
    }


def _as_cost(found: Calibration, thrift: float) -> float:
    return thrift if found.thrift_name == "smt" else -thrift


def _setting_as_json(setting: Setting) -> dict[str, Any]:
    return {"method": setting.method, "thresholds": setting.thresholds.to_json()}


def _share_as_json(found: Budgeted, fitted: Fitted | None) -> dict[str, Any]:
    evidence = found.direction
    return {
        "method": found.method,
        **fitted_as_json(fitted),
        "thresholds": found.thresholds.to_json(),
        "wanted_lrm_share": found.wanted,
        "lrm_share": {"value": found.share, "low": found.low, "high": found.high},
        "steps": {str(trigger): part for trigger, part in found.steps.items()},
        "runs": found.runs,
        "left_out": found.left_out,
        "questions": found.questions,
        "token_ratio": found.token_ratio,
        "direction": None
        if evidence is None
        else {
            "auc": evidence.value,
            "low": evidence.low,
            "high": evidence.high,
            "wrong": evidence.wrong,
            "right": evidence.right,
            "supports": supported(evidence),
        },
    }
