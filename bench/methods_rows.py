"""The rows of the methods' benchmark: each method, its threshold fitted to three LRM shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Difference, Estimate, mean_of
from trigreason.evaluation.summary import ArmSummary, accuracy_difference, measured, summarise
from trigreason.reasoning import Author, Direction, Thresholds
from trigreason.reasoning.methods import method_title
from trigreason.studies.calibration.label_free import fit_share
from trigreason.studies.calibration.risk_fitting import FittedRisk, fit_risk
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.replaying import recorded_token_ratio
from trigreason.studies.simulation import read_deployment, simulate

SHARES = (0.2, 0.4, 0.6)
FITTED = (
    *("random", "periodic", "planning", "glimprouter", "speculative_thinking", "splitreason"),
    *("steer", "relaygen", "learned"),
)
"""The methods whose one threshold is fitted to a share; TrigReason is fitted in both directions.
SpecReason has one row without a wanted share: no replay knows what a judge would say."""

API = "edge-cloud-deepseek"
DEPLOYMENTS = ("two-gpus", API)


@dataclass
class Row:
    """A method at a wanted share, and its runs."""

    label: str
    setting: Setting
    wanted: float | None = None
    runs: list[Run] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    usd: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The label, and the wanted share where there is one."""
        return self.label if self.wanted is None else f"{self.label} {self.wanted:.0%}"

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
        """This row's accuracy minus the other's, on the questions of both."""
        return accuracy_difference(map(measured, self.runs), map(measured, other.runs))


def _mean(runs: Sequence[Run], values: Sequence[float]) -> Estimate:
    samples: dict[str, list[float]] = {}
    for run, value in zip(runs, values, strict=True):
        samples.setdefault(run.sample, []).append(value)
    return mean_of(samples)


def fitted_risk(known: Sequence[Run], own: Thresholds) -> FittedRisk:
    """The risk model for the rows of ``learned``.

    Raises:
        ValueError: the runs have too few outcomes.
    """
    risk = fit_risk(known, own)
    if risk is None:
        raise ValueError("too few of the runs to fit to have an outcome, or all have the same")
    return risk


def fitted_rows(known: Sequence[Run], own: Thresholds, risk: FittedRisk) -> Iterator[Row]:
    """The rows, each method at its shares; one that cannot reach another share stands once.

    ``known`` are runs of each model alone, on other questions than those compared; ``own`` are the
    pair's thresholds.
    """
    for name in ("srm", "lrm", "specreason"):
        yield Row(method_title(name), Setting(name, own))
    ratio = recorded_token_ratio(known) or 1.0
    alone = [run for run in known if run.trace.method == "srm"]
    learning = replace(own, risk_model=risk.model)

    def setting(method: str, share: float, base: Thresholds) -> Setting:
        fitted = fit_share(alone, share, base, method=method, token_ratio=ratio)
        return Setting(method, fitted.thresholds)

    seen: set[Setting] = set()
    for share in SHARES:
        rows = [Row(method_title(name), setting(name, share, learning), share) for name in FITTED]
        for side in Direction:
            base = replace(own, direction=side, n=min(own.n, 1))
            label = f"TrigReason, {'r > ρ' if side is Direction.OVER else 'r < ρ'}"
            rows.append(Row(label, setting("trigreason", share, base), share))
        for row in rows:
            if row.setting not in seen:
                seen.add(row.setting)
                yield row
