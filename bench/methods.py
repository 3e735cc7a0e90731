"""Every method on two pairs, each at three LRM shares: accuracy, tokens, seconds and USD.

    python -m bench.methods --items 20

On the bundled pair the methods answer published items now. Each method's threshold is chosen for a
wanted LRM share by replaying runs of the SRM alone, on the problems that come with the package.
Runs are kept in ``--out``, so the program can be ended at any moment and goes on where it was.

On the real pair, whose runs take hours, the table is of the runs that ``python -m bench.real_pair
methods`` has made so far.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from bench.common import DATA_VARIABLE, machine, parser
from bench.methods_figure import draw
from bench.methods_rows import Row, fitted_risk, fitted_rows
from bench.methods_table import learned_against_triggers, on_many_comparisons, table_of
from bench.real_pair import methods as real_pair
from bench.real_pair.questions import drawn
from bench.real_pair.records import RESULTS, Records
from trigreason.cli.comparison_progress import Watching
from trigreason.configuration import bundled_pair
from trigreason.evaluation.answering import BUNDLED_BUDGET
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import Plan, compare
from trigreason.evaluation.runs import Run
from trigreason.reasoning.methods import method_title
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.judging import judge_quality

FAMILIES = 7
PAIRS = ("bundled", "real")


def main() -> None:
    arguments = parser(__doc__, items=20)
    arguments.add_argument("--pair", choices=PAIRS, help="one pair alone (default: both)")
    arguments.add_argument("--out", type=Path, default=Path("logs/bench-methods"))
    arguments.add_argument("--figure", type=Path, help="draw into this file + -PAIR.svg and .png")
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error(f"the published questions are needed: --data FOLDER, or {DATA_VARIABLE}")
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    for pair in PAIRS:
        if chosen.pair in (None, pair):
            _report(pair, chosen, console)


def _report(pair: str, chosen: Namespace, console: Console) -> None:
    if pair == "bundled":
        console.print(machine(), f"\n{FAMILIES * chosen.items} published items of 7 BBH families")
        rows = _bundled(chosen)
    else:
        records = Records(RESULTS)
        rows = real_pair.compared_rows(records, drawn(real_pair.DATA, chosen.data))
        console.print("", *real_pair.in_words(records, rows), sep="\n")
    if not rows:
        return
    for row in track(rows, "Simulating", console=Console(stderr=True), transient=True):
        row.simulate()
    console.print(table_of(rows))
    for row in rows:
        if row.setting.method == "specreason":
            console.print(f"SpecReason's judge: {judge_quality(row.runs)}.")
    console.print(on_many_comparisons(rows))
    console.print(*learned_against_triggers(rows), sep="\n")
    if chosen.figure:
        points = [(row.label, row.setting.method, row.summary) for row in rows]
        draw(points, chosen.figure.with_name(f"{chosen.figure.name}-{pair}"))


def _bundled(chosen: Namespace) -> list[Row]:
    known = _calibrating_runs(chosen)
    own = bundled_pair().settings.thresholds
    rows = list(fitted_rows(known, own, fitted_risk(known, own)))
    plan = Plan(
        task="bundled",
        pair=bundled_pair(),
        arms=tuple(_arm(row.setting) for row in rows),
        logs=chosen.out / "comparing",
        data=str(chosen.data),
        limit=FAMILIES * chosen.items,
        seed=chosen.seed + 1,
    )
    names = {arm: row.name for arm, row in zip(plan.arms, rows, strict=True)}
    with Watching("All methods", names) as watch:
        outcomes = compare(plan, watch)
    for row, outcome in zip(rows, outcomes, strict=True):
        row.runs = list(outcome.runs)
    return rows


def _calibrating_runs(chosen: Namespace) -> Sequence[Run]:
    """Both models alone on the problems that come with the package."""
    own = bundled_pair().settings.thresholds
    arms = tuple(_arm(Setting(name, own)) for name in ("srm", "lrm"))
    plan = Plan(task="bundled", pair=bundled_pair(), arms=arms, logs=chosen.out / "calibrating")
    with Watching("Both models alone", {arm: method_title(arm.method) for arm in arms}) as watch:
        return [run for outcome in compare(plan, watch) for run in outcome.runs]


def _arm(setting: Setting) -> Arm:
    own = bundled_pair().settings
    return Arm(
        method=setting.method,
        thresholds=setting.thresholds,
        sampling=own.sampling,
        budget=BUNDLED_BUDGET,
    )


if __name__ == "__main__":
    main()
