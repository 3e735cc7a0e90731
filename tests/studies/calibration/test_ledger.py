"""The file of runs: what is in it is never asked for again, and it outlives a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studies.calibration.formula import FormulaLanes, conditions, questions
from trigreason.engines.base import EngineUnreachable
from trigreason.reasoning import Thresholds, load_trace
from trigreason.studies.calibration.experiment import Conditions, Experiment, Results
from trigreason.studies.calibration.ledger import RUNS, opened_ledger
from trigreason.studies.calibration.setting import Setting

ASKED = questions(6)
SETTINGS = [Setting("srm"), Setting(thresholds=Thresholds(n=2))]


async def ask(
    folder: Path, lanes: FormulaLanes, under: Conditions | None = None
) -> tuple[list[Results], list[bool]]:
    """Both settings on all questions; also, for each run, whether it was there before."""
    known: list[bool] = []
    with opened_ledger(folder) as ledger:
        asking = Experiment(
            lanes, ledger, under or conditions(), lambda _, __, was_known: known.append(was_known)
        )
        return await asking.results(SETTINGS, ASKED), known


async def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    lanes = FormulaLanes()
    first, known = await ask(tmp_path, lanes)
    assert known == [False] * 12
    again, known = await ask(tmp_path, lanes)
    assert known == [True] * 12
    assert again == first
    assert len(lanes.asked) == 12


@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"pair": "other"}, {"epochs": 2}], ids=lambda each: next(iter(each))
)
async def test_other_conditions_are_other_runs(tmp_path: Path, changed: dict[str, object]) -> None:
    lanes = FormulaLanes()
    await ask(tmp_path, lanes)
    _, known = await ask(tmp_path, lanes, conditions(**changed))
    assert sum(known) == (12 if changed == {"epochs": 2} else 0)
    assert known.count(False) == 12


async def test_a_run_that_was_half_written_is_asked_again(tmp_path: Path) -> None:
    lanes = FormulaLanes()
    whole, _ = await ask(tmp_path, lanes)
    file = tmp_path / RUNS
    content = file.read_bytes()
    for cut in (len(content) - 1, len(content) - 40):
        file.write_bytes(content[:cut])
        again, known = await ask(tmp_path, lanes)
        assert again == whole
        assert known.count(False) == 1
        assert len(file.read_bytes().splitlines()) == 12


async def test_every_line_is_a_whole_run(tmp_path: Path) -> None:
    await ask(tmp_path, FormulaLanes())
    for line in (tmp_path / RUNS).read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        assert load_trace(line).method == values["method"]
        assert values["target"] == values["question"]
        assert values["right"] is (values["given"] == values["target"])


async def test_traces_are_those_of_one_setting(tmp_path: Path) -> None:
    with opened_ledger(tmp_path) as ledger:
        asking = Experiment(FormulaLanes(), ledger, conditions(), lambda *_: None)
        await asking.results(SETTINGS, ASKED)
        traces = asking.traces(SETTINGS[0], ASKED[:4])
    assert [trace.method for trace in traces] == ["srm"] * 4


async def test_a_failure_keeps_what_was_answered(tmp_path: Path) -> None:
    lanes = FormulaLanes()
    await ask(tmp_path, lanes)
    lanes.broken = EngineUnreachable("nobody answers", "there", "Start it.")
    with pytest.raises(EngineUnreachable):
        await ask(tmp_path, lanes, conditions(epochs=2))
    assert len((tmp_path / RUNS).read_bytes().splitlines()) == 12


async def test_a_folder_serves_one_calibration_at_a_time(tmp_path: Path) -> None:
    with opened_ledger(tmp_path), pytest.raises(ValueError, match="or calibration is at work"):
        opened_ledger(tmp_path).__enter__()
    with opened_ledger(tmp_path):
        pass


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / RUNS).write_text('{"setting": 3}\n', encoding="utf-8")
    with (
        pytest.raises(ValueError, match="line 1: is no run of a calibration"),
        opened_ledger(tmp_path),
    ):
        pass
    with pytest.raises(ValueError, match="line 1"), opened_ledger(tmp_path):
        pass  # and the folder was given back
