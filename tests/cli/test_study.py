"""``trigreason study signals``: tables, words, JSON, figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.commands import Command
from tests.studies.recordings import run, step
from tests.studies.writing import write_runs
from trigreason.cli.signal_tables import verdict
from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Estimate
from trigreason.reasoning import Alternative, Message, Token
from trigreason.reasoning.top_logprobs import TopLogprobs
from trigreason.studies.auc import Auc
from trigreason.studies.signal_study import Level, MeasuredSignal, SignalStudy
from trigreason.studies.signals import Signal

SURE, UNSURE = (-0.01,) * 4, (-0.9, -0.01)


def answered(number: int, *, wrong: bool, sure: bool) -> Run:
    recorded = run([step("So it goes.", SURE if sure else UNSURE)], right=not wrong)
    asked = (Message("user", f"Question {number}?"),)
    return replace(recorded, trace=replace(recorded.trace, messages=asked))


@pytest.mark.parametrize(
    ("sure_if_wrong", "sure_if_right", "words"),
    [
        (True, False, "overconfidence marks errors on this pair, as in the paper"),
        (False, True, "worse than chance (AUC .00, .00 to .00, at τ = 1.05): overconfidence does "
         "not mark errors on this pair. The opposite direction does (--direction under, AUC 1.00)"),
        (True, True, "no better than chance (AUC .50, .50 to .50, at τ = 1.05)"),
    ],
)  # fmt: skip
def test_it_says_plainly_what_overconfidence_marks(
    command: Command, tmp_path: Path, sure_if_wrong: bool, sure_if_right: bool, words: str
) -> None:
    wrong = [answered(number, wrong=True, sure=sure_if_wrong) for number in range(10)]
    right = [answered(number, wrong=False, sure=sure_if_right) for number in range(10, 20)]
    file = write_runs(tmp_path / "runs.jsonl", wrong + right)
    told = command("study", "signals", str(file))
    assert told.code == 0
    flat = " ".join(told.out.split())
    assert words in flat
    assert "20 trajectories of 20 questions, 10 wrong: 50 %" in flat
    assert "Entropy and margin are not among the signals" in flat
    as_json = command("study", "signals", str(file), "--json").json
    assert as_json["trajectories"]["count"] == 20
    assert "steps" not in as_json
    assert words in " ".join(as_json["words"])


def test_nothing_is_missing_where_traces_have_alternatives(
    command: Command, tmp_path: Path
) -> None:
    top = TopLogprobs.of([Token("x", -0.5, top=(Alternative("x", -0.5), Alternative("y", -1.0)))])
    runs = [answered(number, wrong=number < 10, sure=True) for number in range(20)]
    for each in runs:
        each.trace.steps[0] = replace(each.trace.steps[0], top=top)
    told = command("study", "signals", str(write_runs(tmp_path / "runs.jsonl", runs)))
    assert "mean margin" in told.out
    assert "not among the signals" not in told.out


def test_the_best_signal_is_one_that_is_told_from_chance() -> None:
    def measured(key: str, value: float, low: float, high: float) -> MeasuredSignal:
        return MeasuredSignal(Signal(key, key), Auc(value, low, high, 9, 9, 18), ())

    def best(*signals: MeasuredSignal) -> str:
        rate = Estimate(0.5, 0.2, 0.8, 18, 18)
        ratio = measured("ratio@1.05", 0.5, 0.4, 0.6)
        level = Level(18, 9, 18, 1, rate, (ratio, *signals), ())
        study = SignalStudy("small", "raw", 18, 0, 0, 1.05, level, None)
        return verdict(study)[1]

    rough, sure = measured("rough", 0.1, 0.01, 0.9), measured("sure", 0.6, 0.55, 0.65)
    assert best(rough, sure) == "What tells wrong steps best: “sure”, where it is high (AUC .60)."
    assert best(rough) == "No signal tells wrong steps better than chance."


def test_too_few_are_not_judged(command: Command, tmp_path: Path) -> None:
    runs = [answered(number, wrong=number < 3, sure=True) for number in range(10)]
    told = command("study", "signals", str(write_runs(tmp_path / "runs.jsonl", runs)))
    assert "3 wrong and 7 right trajectories are too few" in " ".join(told.out.split())


@pytest.mark.slow
def test_figures_are_drawn(command: Command, tmp_path: Path) -> None:
    runs = [answered(each, wrong=each % 2 == 0, sure=each % 3 == 0) for each in range(20)]
    file = write_runs(tmp_path / "runs.jsonl", runs)
    told = command("study", "signals", str(file), "--figures", str(tmp_path / "drawn"), "--json")
    assert told.code == 0
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == [
        f"signals-{name}.{kind}"
        for name in ("auc", "curves-trajectories")
        for kind in ("png", "svg")
    ]
    assert len(told.json["figures"]) == 4
    assert "number of steps" in (tmp_path / "drawn" / "signals-auc.svg").read_text()


def test_runs_that_say_nothing(command: Command, tmp_path: Path) -> None:
    file = write_runs(tmp_path / "runs.jsonl", [run([step()])])
    command("study", "signals", str(file)).check_complaint(1, "nothing tells right from wrong")
    complaint = command("study", "signals", str(file), "--rho", "2")
    complaint.check_complaint(1, "rho (a share of tokens)")
