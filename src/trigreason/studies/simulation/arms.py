"""Simulated runs by arm: what a method under its thresholds takes on a deployment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Thresholds, make_method
from trigreason.studies.simulation.deployment import Deployment
from trigreason.studies.simulation.simulate import Simulated, simulate

BASELINES = ("lrm", "specreason")
"""Methods against which savings are told."""


class ArmKey(NamedTuple):
    """What tells runs of one log from each other, and how they are carried out."""

    pair: str
    method: str
    thresholds: Thresholds
    request_per_step: bool


Samples = dict[str, list[float]]
"""By question, the values of its runs."""


@dataclass
class SimulatedArm:
    """Simulated runs of one arm, by question: seconds, the share of them spent waiting, USD."""

    arm: ArmKey
    seconds: Samples = field(default_factory=lambda: defaultdict(list))
    waiting: Samples = field(default_factory=lambda: defaultdict(list))
    lrm_requests: Samples = field(default_factory=lambda: defaultdict(list))
    usd: Samples = field(default_factory=lambda: defaultdict(list))

    def add(self, question: str, simulated: Simulated) -> None:
        seconds = simulated.seconds
        self.seconds[question].append(seconds)
        self.waiting[question].append(simulated.waiting_seconds / seconds if seconds else 0.0)
        self.lrm_requests[question].append(len(simulated.of(Author.LRM)))
        self.usd[question].append(simulated.total_usd)


class Quantiles(NamedTuple):
    """Of the seconds of all runs."""

    p50: float
    p95: float


def simulate_arms(runs: Iterable[Run], deployments: Sequence[Deployment]) -> list[SimulatedArm]:
    """Every run under every deployment, put together by arm.

    Where one model writes alone there is nothing to hand over, and a request is a run whatever the
    deployment says; such an arm comes once.

    Raises:
        ValueError: a run does not tell enough to be simulated; the message says which.
    """
    arms: dict[ArmKey, SimulatedArm] = {}
    for run in runs:
        for deployment in carried_out(run, deployments):
            trace = run.trace
            arm = ArmKey(run.pair, trace.method, trace.thresholds, deployment.request_per_step)
            try:
                simulated = simulate(trace, deployment)
            except ValueError as error:
                raise ValueError(f"{_question_of(run)[:60]!r}, {arm.method}: {error}") from error
            arms.setdefault(arm, SimulatedArm(arm)).add(_question_of(run), simulated)
    return list(arms.values())


def _question_of(run: Run) -> str:
    """What makes two runs answers to the same question."""
    return f"{run.task}/{run.sample}" if run.sample else run.question


def quantiles(samples: Mapping[str, Sequence[float]]) -> Quantiles:
    values = sorted(value for each in samples.values() for value in each)
    return Quantiles(_quantile(values, 0.5), _quantile(values, 0.95))


def saved(own: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]) -> float | None:
    """The share of ``other`` that ``own`` saves on the questions that both have.

    None where there are none, or where there is nothing to save.
    """
    common = [question for question in own if question in other]
    if not common:
        return None
    spent = sum(_mean(other[question]) for question in common)
    return 1 - sum(_mean(own[question]) for question in common) / spent if spent else None


def baselines(arm: SimulatedArm, arms: Sequence[SimulatedArm]) -> list[SimulatedArm]:
    """The arms of the same pair of whose figures ``arm`` is told to save something.

    They are the LRM alone and SpecReason with its first thresholds, as its script asks (a request
    per step) and, where ``arm`` is asked so, in stretches. The LRM alone has none.
    """
    if arm.arm.method == "lrm":
        return []
    found: dict[tuple[str, bool], SimulatedArm] = {}
    for each in arms:
        pair, method, _, per_step = each.arm
        is_asked_so = per_step or not arm.arm.request_per_step or method == "lrm"
        if pair == arm.arm.pair and method in BASELINES and is_asked_so:
            found.setdefault((method, per_step), each)
    itself = (arm.arm.method, arm.arm.request_per_step)
    return [found[way] for way in sorted(found) if way != itself]


def carried_out(run: Run, deployments: Sequence[Deployment]) -> list[Deployment]:
    """The ways in which a run can differ: for a model alone one, in which it is one request."""
    method = make_method(run.trace.method, run.trace.thresholds)
    if len(method.authors) > 1:
        return list(deployments)
    return [replace(deployments[0], request_per_step=False)]


def _quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest of the sorted values."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
