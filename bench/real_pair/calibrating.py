"""The calibrated row: thresholds that follow from runs of the SRM alone on other questions.

A search with labels takes hundreds of runs, which is hours on this pair. What is done here is
``trigreason calibrate RUNS --lrm-share 0.55 --n N --direction D``, which takes the SRM's own runs
on the questions of calibration and no further ones. D is the direction for which the outcomes of
these runs speak, those of all data sets together, each compared within its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench.real_pair.questions import SEED
from bench.real_pair.rows import SHORT
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Direction, Thresholds
from trigreason.studies.auc import Auc
from trigreason.studies.calibration.direction import evidence, supported
from trigreason.studies.calibration.label_free import fit_share
from trigreason.studies.replaying import replayed

LRM_SHARE = 0.55
"""Of the thinking's tokens. The aim is at most 60 % of the tokens that the LRM writes alone; the
rest is for a share that comes out higher on other questions than on those of calibration."""

TAU = Thresholds().tau


class Calibrated(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for a data set, and on what.

    ``runs`` is the digest of the runs' setting; ``minutes`` is what the models took for them.
    """

    runs: str
    thresholds: dict[str, Any]
    questions: list[str]
    seed: int
    minutes: float
    lrm_share: dict[str, float]
    direction: dict[str, Any] | None


def direction_of(runs: Mapping[str, Sequence[Run]]) -> tuple[Direction, Auc | None]:
    """The direction that the runs of all data sets speak for, and how clearly.

    Where the interval does not tell, the side of chance decides on which the estimate lies; where
    there is no estimate, the paper's stays.
    """
    found = evidence([run for each in runs.values() for run in each], TAU, SEED)
    if found is None:
        return Thresholds().direction, None
    return supported(found) or (Direction.OVER if found.value > 0.5 else Direction.UNDER), found


def calibrated(
    runs: Sequence[Run], setting: str, direction: Direction, found: Auc | None
) -> Calibrated:
    """Thresholds for a data set from its own runs of the SRM alone."""
    base = Thresholds(n=_priming(runs), direction=direction)
    share = fit_share(runs, LRM_SHARE, base, seed=SEED)
    return Calibrated(
        runs=setting,
        thresholds=share.thresholds.to_json(),
        questions=[run.sample for run in runs],
        seed=SEED,
        minutes=round(sum(run.trace.seconds for run in runs) / 60, 1),
        lrm_share={"wanted": LRM_SHARE, "value": share.share, "low": share.low, "high": share.high},
        direction=None if found is None else asdict(found),
    )


def _priming(runs: Sequence[Run]) -> int:
    """:data:`SHORT`, or 0 where that alone takes more than half of the LRM's share."""
    alone = Thresholds(n=SHORT, rho=1, m=0)
    primed = 1 - float(replayed(runs, [alone]).smt[0])
    return SHORT if primed <= LRM_SHARE / 2 else 0


def kept(file: Path) -> dict[str, Calibrated]:
    """What was found before, by data set.

    Raises:
        ValueError: the file holds something else.
    """
    if not file.exists():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Calibrated])
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} holds no calibration ({error})") from error


def keep(file: Path, found: Mapping[str, Calibrated]) -> None:
    """Write what was found, whole or not at all."""
    part = file.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(dict(found)), indent=1) + b"\n")
    part.replace(file)
