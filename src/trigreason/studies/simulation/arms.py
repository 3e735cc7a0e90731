"""Simulated runs by arm: the seconds and USD of a method and its thresholds on a deployment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import NamedTuple

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Thresholds, make_method
from trigreason.studies.simulation.deployment import Deployment
from trigreason.studies.simulation.simulate import Simulated, simulate

BASELINES = ("lrm", "specreason")
"""Methods that savings are measured against."""


class ArmKey(NamedTuple):
    """What distinguishes the arms of a log, and how their requests are sent."""

    pair: str
    method: str
    thresholds: Thresholds
    request_per_step: bool


Samples = dict[str, list[float]]
"""For each question, the values of its runs."""


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
    """Quantiles of the seconds of all runs."""

    p50: float
    p95: float


def simulate_arms(runs: Iterable[Run], deployments: Sequence[Deployment]) -> list[SimulatedArm]:
    """Every run under every deployment, put together by arm.

    A model that writes alone never hands over, so its run is one request whatever the deployment
    says, and its arm appears once.

    Raises:
        ValueError: a run does not record enough to be simulated; the message names it.
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

    None where they have none in common, or where ``other`` spends nothing.
    """
    common = [question for question in own if question in other]
    if not common:
        return None
    spent = sum(fmean(other[question]) for question in common)
    return 1 - sum(fmean(own[question]) for question in common) / spent if spent else None


def baselines(arm: SimulatedArm, arms: Sequence[SimulatedArm]) -> list[SimulatedArm]:
    """The arms of the same pair that the savings of ``arm`` are measured against.

    They are the LRM alone and the first arm of SpecReason: with a request per step, as its script
    sends them, and also in stretches where ``arm`` is in stretches. The LRM alone has none.
    """
    if arm.arm.method == "lrm":
        return []
    firsts: dict[tuple[str, bool], SimulatedArm] = {}
    for each in arms:
        pair, method, _, per_step = each.arm
        is_comparable = per_step or not arm.arm.request_per_step or method == "lrm"
        if pair == arm.arm.pair and method in BASELINES and is_comparable:
            firsts.setdefault((method, per_step), each)
    itself = (arm.arm.method, arm.arm.request_per_step)
    return [firsts[key] for key in sorted(firsts) if key != itself]


def carried_out(run: Run, deployments: Sequence[Deployment]) -> list[Deployment]:
    """The deployments under which a run differs: one for a model alone, with one request."""
    method = make_method(run.trace.method, run.trace.thresholds)
    if len(method.authors) > 1:
        return list(deployments)
    return [replace(deployments[0], request_per_step=False)]


def _quantile(values: Sequence[float], share: float) -> float:
    """A quantile of sorted values, linear between the two nearest."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])
