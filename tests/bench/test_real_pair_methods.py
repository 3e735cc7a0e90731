"""The comparison of all methods is made once, on questions that no threshold was fitted to."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.methods_rows import FITTED
from bench.methods_table import coin_beside, on_many_comparisons, table_of
from bench.real_pair import methods
from bench.real_pair.pair import bundled_stand_in
from bench.real_pair.questions import DataSet, drawn
from bench.real_pair.records import writing
from bench.real_pair.rows import LRM_ONLY, SRM_ONLY
from bench.real_pair.running import session
from trigreason.evaluation.answering import BUNDLED_BUDGET

DATA = DataSet("booleans", "bundled", 1, 16, 1, group="boolean_expressions")


@pytest.mark.slow
async def test_every_method_answers_the_same_questions_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "COMPARED", 2)
    monkeypatch.setattr(methods, "SHARES", (0.2,))
    measured, found, said = bundled_stand_in(BUNDLED_BUDGET), drawn(DATA, None), list[str]()
    with writing(tmp_path) as ledger:
        with pytest.raises(ValueError, match="too few"):
            methods.compared_rows(ledger, found)
        async with session(measured, ledger, said.append) as alone:
            for question in found.evaluation[methods.COMPARED :]:
                for wanted in (SRM_ONLY, LRM_ONLY):
                    await alone.record(DATA.name, wanted, question, "evaluation")
        said.clear()
        await methods.run(measured, found, ledger, said.append)
        made = len(said)
        rows = methods.compared_rows(ledger, found)
        await methods.run(measured, found, ledger, said.append)
        assert len(said) == made, "what is there is not made again"
    compared = {question.id for question in found.evaluation[:2]}
    assert all({run.sample for run in row.runs} == compared for row in rows)
    assert {line.split(",")[0] for line in said} == compared
    shares = {row.setting.method: row.wanted for row in rows}
    assert shares.keys() == {*FITTED, "srm", "lrm", "specreason", "trigreason"}
    assert shares["random"] == 0.2
    assert made == 2 * len(rows)
    for row in rows:
        row.simulate()
    assert table_of(rows).row_count == len(rows)
    coin = next(row for row in rows if row.setting.method == "random")
    assert coin_beside(rows[-1], rows) is coin
    assert coin_beside(coin, rows) is None
    assert on_many_comparisons(rows).startswith(f"{len(rows) - 3} rows are compared")
