"""The search, with a double of a pair that is quick and whose best settings are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies.calibration.formula import FormulaLanes, conditions, questions
from trigreason.reasoning import Direction, Thresholds
from trigreason.studies.calibration.experiment import Experiment, Results, Thrift
from trigreason.studies.calibration.labelled import Calibration, calibrate
from trigreason.studies.calibration.ledger import opened_ledger
from trigreason.studies.calibration.search import (
    GENERATION,
    Search,
    Stage,
    anchors,
    expected_runs,
)
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.calibration.split import split

DEFAULT = Thresholds(n=3, rho=0.45, direction=Direction.UNDER)
"""Right as it is, but the first three steps are the LRM's for nothing."""

ASKED = questions(64)


async def search(
    folder: Path, trials: int, stages: list[Stage], seed: int = 0
) -> tuple[list[Results], FormulaLanes]:
    lanes = FormulaLanes()
    with opened_ledger(folder) as ledger:
        asking = Experiment(lanes, ledger, conditions(seed=seed), lambda *_: None)
        found, _ = await Search(asking, ASKED, DEFAULT, "smt", stages.append).run(trials)
    return found, lanes


@pytest.mark.slow
async def test_generations_are_thinned_out_from_rung_to_rung(tmp_path: Path) -> None:
    stages: list[Stage] = []
    found, lanes = await search(tmp_path, GENERATION + 3, stages)
    fixed = len(anchors(DEFAULT))
    assert [each.questions for each in stages] == [64, 32, 64, 32, 64]
    assert [each.settings for each in stages][:3] == [fixed, 8, 4]
    assert "generation 1 (better than the default), rung 1 of 2" in stages[1].name
    assert "generation 2 (front)" in stages[-1].name
    assert all(len(each.outcomes) == 64 for each in found)
    assert [each.setting for each in found][:fixed] == anchors(DEFAULT)
    expected = expected_runs(GENERATION + 3, 64, 0)
    assert 0.7 * expected < len(lanes.asked) <= expected


@pytest.mark.slow
async def test_the_same_seed_gives_the_same_search_and_asks_nothing_again(tmp_path: Path) -> None:
    short, lanes = await search(tmp_path / "one", 8, [])
    long, later = await search(tmp_path / "one", 16, [])
    elsewhere, _ = await search(tmp_path / "two", 8, [])
    other, _ = await search(tmp_path / "three", 8, [], seed=1)
    assert elsewhere == short == long[: len(short)]
    assert len(set(lanes.asked + later.asked)) == len(lanes.asked + later.asked)
    assert [each.setting for each in other] != [each.setting for each in short]


async def calibrated(folder: Path, trials: int, thrift: Thrift = "smt") -> Calibration:
    parts = split(ASKED, 0.5, 0)
    with opened_ledger(folder) as ledger:
        asking = Experiment(FormulaLanes(), ledger, conditions(), lambda *_: None)
        return await calibrate(asking, parts, DEFAULT, trials, thrift, lambda _: None)


@pytest.mark.slow
async def test_what_it_finds_is_better_on_questions_it_never_saw(tmp_path: Path) -> None:
    """Without priming nothing is lost here, and no more than these trials are needed to see it."""
    found = await calibrated(tmp_path, 16)
    assert found.recommended != found.default
    assert found.recommended.thresholds.n < DEFAULT.n
    assert found.recommended.thresholds.direction is Direction.UNDER
    assert found.is_no_worse(found.recommended)
    assert not found.is_no_worse(Setting("lrm"))
    assert found.thrift.low > 0
    assert found.coin is not None
    assert found.coin.gain.low > 0
    assert found.questions == (32, 32)


@pytest.mark.slow
async def test_what_is_reported(tmp_path: Path) -> None:
    found = await calibrated(tmp_path, 8)
    reported = {row.setting for row in found.rows}
    assert {found.default, found.recommended, *found.on_front} <= reported
    assert {Setting("srm"), Setting("lrm")} <= reported
    assert len(found.rows) == len(reported)
    assert all(len(row.held_out.outcomes) == 32 for row in found.rows)
    default = found.row(found.default)
    assert default.search is not None
    assert not set(default.search.outcomes) & set(default.held_out.outcomes)
    assert found.row(Setting("srm")).smt == (1.0, 1.0, 1.0, 32, 32)
    assert found.row(Setting("lrm")).accuracy.value == 1


async def test_costs_that_nobody_knows_cannot_be_weighed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give prices to both engines"):
        await calibrated(tmp_path, 1, "usd")
