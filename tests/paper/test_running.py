"""An item carried out, by a double of the comparison that hands out written runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.paper.handwritten import run, step
from trigreason.configuration import bundled_pair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import Plan
from trigreason.evaluation.runs import Run
from trigreason.paper.item_files import catalogue
from trigreason.paper.reproduction import Reproduction
from trigreason.paper.result import Result
from trigreason.paper.running import carry_out
from trigreason.paper.writing import as_markdown, write, write_index

pytestmark = pytest.mark.slow


@dataclass
class Written:
    """One arm of the double."""

    arm: Arm
    runs: list[Run]
    planned: int = 12


class WrittenComparison:
    """A double of the comparison: every arm gets its right half of the questions right."""

    def __init__(self, missing: int = 0) -> None:
        self.plans: list[Plan] = []
        self.names: list[Mapping[Arm, str]] = []
        self._missing = missing

    def __call__(self, plan: Plan, names: Mapping[Arm, str]) -> list[Written]:
        self.plans.append(plan)
        self.names.append(names)
        return [Written(arm, self._runs(plan, arm)) for arm in plan.arms]

    def _runs(self, plan: Plan, arm: Arm) -> list[Run]:
        author = "lrm" if arm.method == "lrm" else "srm"
        runs = [
            run(
                f"q{number}",
                [step(author, sure=number % 5), step(author)],
                right=number % 2 == 0,
                epoch=epoch,
                method=arm.method,
            )
            for number in range(plan.limit or 6)
            for epoch in range(1, plan.epochs + 1)
        ]
        return runs[self._missing :]


def carried_out(name: str, out: Path, compare: WrittenComparison | None = None) -> Result:
    compare = compare or WrittenComparison()
    wanted = Reproduction(out=out, pairs=(bundled_pair(),), quick=True, limit=6, epochs=2)
    return carry_out(catalogue()[name], wanted, compare)


ONE_OF_A_KIND = ("fig4", "fig6a", "table2", "appendix-d", "appendix-e")
"""Items that need no judges, which the double has not."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_every_item_is_written(name: str, tmp_path: Path) -> None:
    result = carried_out(name, tmp_path)
    files = write(result, tmp_path)
    expected = {f"{name}.md", f"{name}.json"}
    if name != "appendix-e":  # nobody hesitates in the written runs
        expected |= {f"{name}.png", f"{name}.svg"}
    assert {file.name for file in files} == expected
    assert all(file.stat().st_size > 100 for file in files)
    told = json.loads((tmp_path / f"{name}.json").read_text())
    assert told["item"] == name
    assert told["setup"]["epochs"] == 2
    text = (tmp_path / f"{name}.md").read_text()
    for row in told["rows"]:
        assert row["arm"] in text
    for number in told["paper"]["numbers"]:
        assert number["arm"] in text


def test_the_paper_s_numbers_are_in_the_figure_and_its_bytes_are_always_the_same(
    tmp_path: Path,
) -> None:
    result = carried_out("table1", tmp_path)
    once, again = (write(result, tmp_path / name) for name in ("once", "again"))
    assert [file.read_bytes() for file in once] == [file.read_bytes() for file in again]
    text = next(file for file in once if file.suffix == ".svg").read_text()
    assert "paper, arc_challenge task" in text
    for number in ("42.2", "68.7", "95.7", "94.8"):
        assert f">{number}<" in text


@pytest.mark.parametrize(
    ("name", "hides"),
    [("fig6a", True), pytest.param("table2", True, marks=pytest.mark.slow), ("fig6b", False)],
)
def test_a_reversed_offload_is_told_and_not_put_on_the_paper_s_axis(
    tmp_path: Path, name: str, hides: bool
) -> None:
    result = carried_out(name, tmp_path)
    assert any(note.startswith("Reversed for bundled") for note in result.notes)
    assert result.shares_the_papers_axis is not hides
    text = next(file for file in write(result, tmp_path) if file.suffix == ".svg").read_text()
    assert ("reversed" in text) is hides
    assert (">paper: the pair of Table 2" in text or ">paper<" in text) is not hides
    arms = [
        arm | {"direction": "over"} if arm["method"] == "trigreason" else arm
        for arm in result.setup["arms"]
    ]
    straight = replace(result, setup={**result.setup, "arms": arms})
    assert straight.shares_the_papers_axis
    file = next(file for file in write(straight, tmp_path) if file.suffix == ".svg")
    assert "reversed" not in file.read_text()


@pytest.mark.parametrize("measured", [False, True])
def test_what_is_simulated_is_not_called_measured(tmp_path: Path, measured: bool) -> None:
    wanted = Reproduction(
        out=tmp_path, pairs=(bundled_pair(),), quick=True, limit=6, epochs=2, measured=measured
    )
    result = carry_out(catalogue()["fig2c"], wanted, WrittenComparison())
    text = next(file for file in write(result, tmp_path) if file.suffix == ".svg").read_text()
    assert ("simulated from: bundled" in text) is not measured
    assert ("measured: bundled" in text) is measured


def test_equal_arms_are_asked_for_once(tmp_path: Path) -> None:
    compare = WrittenComparison()
    carried_out("fig6b", tmp_path, compare)
    [plan] = compare.plans
    assert len(plan.arms) == len(set(plan.arms)) == 7
    assert plan.logs == tmp_path / "logs" / "bundled" / "bundled"
    assert set(compare.names[0]) == set(plan.arms)


def test_the_default_arm_of_two_items_is_the_same(tmp_path: Path) -> None:
    compare = WrittenComparison()
    for name in ("fig4", "fig6a", "fig6b", "table2", "fig7"):
        carried_out(name, tmp_path, compare)
    first, *others = (set(plan.arms) for plan in compare.plans)
    [ours] = [arm for arm in first if arm.method == "trigreason"]
    assert all(ours in arms for arms in others)


def test_missing_answers_are_told(tmp_path: Path) -> None:
    result = carried_out("fig4", tmp_path, WrittenComparison(missing=1))
    assert sum("lacks 1 of 12 answers" in note for note in result.notes) == 4
    assert result.missing == 4


def test_an_arm_without_any_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SRM only \(bundled, bundled\) has no finished run"):
        carried_out("fig4", tmp_path, WrittenComparison(missing=12))


def test_the_index_holds_what_there_is_in_the_paper_s_order(tmp_path: Path) -> None:
    for name in ("table1", "fig4"):
        text = as_markdown(carried_out(name, tmp_path), with_figure=False)
        (tmp_path / f"{name}.md").write_text(text)
    text = write_index(tmp_path).read_text()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# TrigReason's tables and figures, measured again",
        f"## {catalogue()['fig4'].title}",
        f"## {catalogue()['table1'].title}",
    ]
