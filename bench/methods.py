"""Every method on the bundled pair, each at three LRM shares: accuracy, tokens, seconds and USD.

    python -m bench.methods --items 20

Each method's threshold is chosen for a wanted LRM share by replaying runs of the SRM alone, on the
problems that come with the package; the methods are then compared on published items. Runs are
kept in ``--out``, so the program can be ended at any moment and goes on where it was.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.common import machine, parser
from bench.methods_figure import draw
from trigreason.cli.comparison_progress import Watching
from trigreason.configuration import bundled_pair
from trigreason.evaluation.answering import BUNDLED_BUDGET
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import Plan, compare
from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Difference, Estimate, mean_of
from trigreason.evaluation.summary import ArmSummary, accuracy_difference, measured, summarise
from trigreason.reasoning import Author, Direction, Thresholds
from trigreason.reasoning.methods import method_title
from trigreason.studies.calibration.label_free import fit_share
from trigreason.studies.calibration.risk_fitting import fit_risk
from trigreason.studies.replaying import recorded_token_ratio
from trigreason.studies.simulation import read_deployment, simulate

SHARES = (0.2, 0.4, 0.6)
FITTED = (
    *("random", "periodic", "planning", "glimprouter", "speculative_thinking", "splitreason"),
    "learned",
)
"""The methods whose one threshold is fitted to a share; TrigReason is fitted in both directions.
SpecReason has one row, since no replay knows what a judge would say."""

API = "edge-cloud-deepseek"
DEPLOYMENTS = ("two-gpus", API)
FAMILIES = 7


@dataclass
class Row:
    """A method at a wanted share, and its runs."""

    label: str
    arm: Arm
    wanted: float | None = None
    runs: list[Run] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    usd: dict[str, float] = field(default_factory=dict)

    @cached_property
    def summary(self) -> ArmSummary:
        """The numbers of the runs, which must be there."""
        return summarise([measured(run) for run in self.runs])

    @property
    def lrm_share(self) -> float:
        """The LRM's share of the thinking tokens, over all runs."""
        tokens = self.summary.standing
        total = sum(tokens[author].value for author in Author)
        return tokens[Author.LRM].value / total if total else 0.0

    def simulate(self) -> None:
        """Replay the runs on the clocks of the deployments: means per question."""
        for name in DEPLOYMENTS:
            deployment = read_deployment(name)
            simulated = [simulate(run.trace, deployment) for run in self.runs]
            self.seconds[name] = _mean(self.runs, [each.seconds for each in simulated]).value
            self.usd[name] = _mean(self.runs, [each.total_usd for each in simulated]).value

    def against(self, other: Row) -> Difference | None:
        """This row's accuracy minus the other's, on the same questions."""
        return accuracy_difference(map(measured, self.runs), map(measured, other.runs))


def main() -> None:
    arguments = parser(__doc__, items=20)
    arguments.add_argument("--out", type=Path, default=Path("logs/bench-methods"))
    arguments.add_argument("--figure", type=Path, help="draw into this file's .svg and .png")
    chosen = arguments.parse_args()
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    console.print(machine(), f"\n{FAMILIES * chosen.items} published items of 7 BBH families")
    rows = list(_rows(_calibrating_runs(chosen)))
    _fill(rows, chosen)
    for row in track(rows, "Simulating", console=Console(stderr=True), transient=True):
        row.simulate()
    console.print(_table(rows))
    console.print(_on_many_comparisons(rows))
    console.print(*_learned_against_triggers(rows), sep="\n")
    if chosen.figure:
        draw([(row.label, row.arm.method, row.summary) for row in rows], chosen.figure)


def _calibrating_runs(chosen: Namespace) -> list[Run]:
    """Both models alone on the problems that come with the package."""
    arms = tuple(_arm(name, bundled_pair().settings.thresholds) for name in ("srm", "lrm"))
    plan = Plan(task="bundled", pair=bundled_pair(), arms=arms, logs=chosen.out / "calibrating")
    with Watching("Both models alone", {arm: method_title(arm.method) for arm in arms}) as watch:
        return [run for outcome in compare(plan, watch) for run in outcome.runs]


def _rows(known: Sequence[Run]) -> Iterator[Row]:
    """The rows, each method at its shares; one that cannot reach another share stands once."""
    own = bundled_pair().settings.thresholds
    for name in ("srm", "lrm"):
        yield Row(method_title(name), _arm(name, own))
    ratio = recorded_token_ratio(known) or 1.0
    alone = [run for run in known if run.trace.method == "srm"]

    def fitted(method: str, share: float, base: Thresholds) -> Thresholds:
        return fit_share(alone, share, base, method=method, token_ratio=ratio).thresholds

    risk = fit_risk(known, own)
    assert risk is not None, "the bundled problems have checkers"
    learning = replace(own, risk_model=risk.model)
    seen: set[Arm] = set()
    for share in SHARES:
        arms = [(method_title(name), _arm(name, fitted(name, share, learning))) for name in FITTED]
        arms.append(("SpecReason", _arm("specreason", own)))
        for side in Direction:
            base = replace(own, direction=side, n=min(own.n, 1))
            label = f"TrigReason, {'r > ρ' if side is Direction.OVER else 'r < ρ'}"
            arms.append((label, _arm("trigreason", fitted("trigreason", share, base))))
        for label, arm in arms:
            if arm not in seen:
                seen.add(arm)
                yield Row(label, arm, share)


def _arm(method: str, thresholds: Thresholds) -> Arm:
    own = bundled_pair().settings
    return Arm(method=method, thresholds=thresholds, sampling=own.sampling, budget=BUNDLED_BUDGET)


def _fill(rows: Sequence[Row], chosen: Namespace) -> None:
    plan = Plan(
        task="bundled",
        pair=bundled_pair(),
        arms=tuple(row.arm for row in rows),
        logs=chosen.out / "comparing",
        data=None if chosen.data is None else str(chosen.data),
        limit=FAMILIES * chosen.items,
        seed=chosen.seed + 1,
    )
    names = {row.arm: f"{row.label} {row.wanted:.0%}" if row.wanted else row.label for row in rows}
    with Watching("All methods", names) as watch:
        outcomes = compare(plan, watch)
    for row, outcome in zip(rows, outcomes, strict=True):
        row.runs = list(outcome.runs)


def _mean(runs: Sequence[Run], values: Sequence[float]) -> Estimate:
    samples: dict[str, list[float]] = {}
    for run, value in zip(runs, values, strict=True):
        samples.setdefault(run.sample, []).append(value)
    return mean_of(samples)


def _coin_beside(row: Row, rows: Sequence[Row]) -> Row | None:
    """The row of ``random`` whose LRM share is closest to that of ``row``."""
    coins = [each for each in rows if each.arm.method == "random"]
    if row.wanted is None or row in coins:
        return None
    return min(coins, key=lambda coin: abs(coin.lrm_share - row.lrm_share))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("method")
    for head in (
        *("LRM share", "right %", "minus random", "p", "LRM tokens", "requests"),
        *(f"s, {name}" for name in DEPLOYMENTS),
        "USD per 1,000",
    ):
        table.add_column(head, justify="right")
    for row in rows:
        summary = row.summary
        right, coin = summary.accuracy, _coin_beside(row, rows)
        difference = row.against(coin) if coin else None
        table.add_row(
            row.label,
            f"{row.lrm_share:.0%}",
            f"{_percent(right)}" if right else "–",
            _points(difference) if difference else "",
            f"{difference.p:.3f}" if difference else "",
            f"{summary.standing[Author.LRM].value:.0f}",
            f"{sum(each.value for each in summary.requests.values()):.1f}",
            *(f"{row.seconds[name]:.2f}" for name in DEPLOYMENTS),
            f"{1000 * row.usd[API]:.3f}",
        )
    return table


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def _points(difference: Difference) -> str:
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} ({low:+.0f} to {high:+.0f})"


def _on_many_comparisons(rows: Sequence[Row]) -> str:
    """Which differences stand if all comparisons are counted (Holm 1979)."""
    tested = [
        (difference.p, row)
        for row in rows
        if (coin := _coin_beside(row, rows)) and (difference := row.against(coin))
    ]
    standing: list[str] = []
    for rank, (p, row) in enumerate(sorted(tested, key=lambda each: each[0])):
        if p * (len(tested) - rank) >= 0.05:
            break
        standing.append(f"{row.label} at {row.lrm_share:.0%}")
    names = ", ".join(standing) or "none"
    return (
        f"{len(tested)} rows are compared with random, each with the row of the closest LRM share; "
        f"after Holm's correction these differ from it: {names}."
    )


def _learned_against_triggers(rows: Sequence[Row]) -> Iterator[str]:
    """The learned risk against the paper's triggers: the rows of the closest LRM share."""
    for side in Direction:
        triggers = [
            row
            for row in rows
            if row.arm.method == "trigreason" and row.arm.thresholds.direction is side
        ]
        for row in rows:
            if row.arm.method != "learned":
                continue
            other = min(triggers, key=lambda other: abs(other.lrm_share - row.lrm_share))
            difference = row.against(other)
            assert difference is not None, "both answered the same questions"
            yield (
                f"Learned at {row.lrm_share:.0%} minus {other.label} at {other.lrm_share:.0%}: "
                f"{_points(difference)} points, p = {difference.p:.3f}"
            )


if __name__ == "__main__":
    main()
