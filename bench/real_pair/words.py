"""What stands under a data set's table: calibration, coin, machine and models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from bench.real_pair.calibrating import kept
from bench.real_pair.questions import DataSet
from bench.real_pair.records import MACHINES, SETTINGS, Records
from bench.real_pair.rows import CALIBRATED, SPECREASON
from bench.real_pair.running import CALIBRATED as CALIBRATED_FILE
from bench.real_pair.table import Line, coin, in_points
from trigreason.studies.judging import judge_quality


def under(data: DataSet, found: Mapping[str, Line], records: Records) -> Iterator[str]:
    """Lines of plain text."""
    yield from _calibration(data, records)
    tossed = coin(found)
    if tossed is not None:
        yield (
            f"{CALIBRATED}, minus a coin per question between the two models alone at the same "
            f"SMT: {in_points(tossed.gain)} points"
        )
    if SPECREASON.label in found:
        judged = list(found[SPECREASON.label].runs.values())
        yield f"SpecReason's judge: {judge_quality(judged)}"
    for line in found.values():
        if line.others:
            yield f"{line.label}: {line.others} runs of another setting or prompt are not shown"
    evaluated = [each for each in records.runs(data.name) if each.part == "evaluation"]
    for machine, count in Counter(each.machine for each in evaluated).items():
        told = records.told(MACHINES)[machine]
        yield f"{count} runs on {told['machine']}; trigreason {told['trigreason']}"
    for author, model in _models(records, evaluated[-1].setting).items():
        yield f"{author.upper()} {model['file']}, SHA-256 {model['sha256']}"


def _models(records: Records, setting: str) -> dict[str, dict[str, str]]:
    models: dict[str, dict[str, str]] = records.told(SETTINGS)[setting]["base"]["models"]
    return models


def _calibration(data: DataSet, records: Records) -> Iterator[str]:
    calibrated = kept(records.folder / CALIBRATED_FILE).get(data.name)
    if calibrated is None:
        return
    given = ", ".join(
        f"{name} {calibrated.thresholds[name]}"
        for name in ("n", "tau", "rho", "direction", "k", "m")
    )
    share = calibrated.lrm_share
    yield (
        f"calibrated: {given}; on {len(calibrated.questions)} other questions (seed "
        f"{calibrated.seed}), for which the SRM wrote {calibrated.minutes:g} minutes; LRM's share "
        f"wanted {share['wanted']:g}, expected {share['value']:.2f} "
        f"({share['low']:.2f} to {share['high']:.2f})"
    )
    if calibrated.direction is not None:
        auc = calibrated.direction
        yield (
            f"a wrong run has the higher share of certain tokens with a chance of "
            f"{auc['value']:.2f} ({auc['low']:.2f} to {auc['high']:.2f}; {auc['wrong']} wrong, "
            f"{auc['right']} right)"
        )
