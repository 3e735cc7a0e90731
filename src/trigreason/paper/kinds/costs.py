"""Figures 2(c) and 2(d): latency and cost with a cloud API as the LRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import inf

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import mean_of
from trigreason.paper.item import Item
from trigreason.paper.kinds.accuracy import LRM_ONLY
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning.methods import method_title
from trigreason.studies.shares import ratio_of_means
from trigreason.studies.simulation import read_deployment, simulate
from trigreason.studies.simulation.arms import carried_out

SPECREASON = method_title("specreason")
TRIGREASON = method_title("trigreason")

Cost = Callable[[Run], float | None]
"""Seconds or USD of a run; None if its USD are unknown."""


def deployment(work: Work) -> Numbers:
    """The item's seconds or USD per answer; see :func:`per_answer`."""
    return per_answer(work, cost_of(work.item))


def per_answer(work: Work, measure: str) -> Numbers:
    """``seconds`` or ``usd`` per answer, and the differences between methods.

    Raises:
        ValueError: a run's measured USD are unknown.
    """
    cost, note = _measured(measure) if work.measured else _simulated(work, measure)
    rows: list[MeasuredNumber] = []
    for arms in work.grouped().values():
        values = {label: recorded.samples(cost) for label, recorded in arms.items()}
        for label, recorded in arms.items():
            unknown = len(recorded.runs) - sum(map(len, values[label].values()))
            if unknown:
                raise ValueError(
                    f"the cost of {unknown} of {len(recorded.runs)} runs of {label} is not "
                    "known; give both engines prices in the configuration (0 for a model of "
                    "your own), or leave out --measured"
                )
        rows += _rows(arms, values, measure)
    detail = {} if work.measured else {"simulated": work.setting.deployment}
    return Numbers(rows=rows, notes=[note], detail=detail)


def cost_of(item: Item) -> str:
    """The item's measure: ``seconds`` or ``usd``."""
    return item.paper.numbers[0].measure.partition("_")[0]


def _rows(
    arms: Mapping[str, Recorded], values: Mapping[str, dict[str, list[float]]], measure: str
) -> Iterator[MeasuredNumber]:
    for label, samples in values.items():
        yield arms[label].row(measure, mean_of(samples).clipped(0, inf))
    compared = (
        (SPECREASON, LRM_ONLY, f"{measure}_vs_lrm"),
        (TRIGREASON, LRM_ONLY, f"{measure}_vs_lrm"),
        (TRIGREASON, SPECREASON, f"{measure}_vs_specreason"),
    )
    for label, reference, name in compared:
        if label in values and reference in values:
            ratio = ratio_of_means(values[label], values[reference])
            change = ratio._replace(value=ratio.value - 1, low=ratio.low - 1, high=ratio.high - 1)
            yield arms[label].row(name, change)


def _measured(measure: str) -> tuple[Cost, str]:
    if measure == "seconds":
        return lambda run: run.trace.seconds, "Measured: recorded seconds of each run."
    return lambda run: run.trace.usd, "Measured: USD by the prices of the configuration."


def _simulated(work: Work, measure: str) -> tuple[Cost, str]:
    name = work.setting.deployment
    assert name is not None, "the schema requires a deployment for this kind"
    deployment = replace(read_deployment(name), request_per_step=True)

    def cost(run: Run) -> float | None:
        [adapted] = carried_out(run, [deployment])
        simulated = simulate(run.trace, adapted)
        return simulated.seconds if measure == "seconds" else simulated.total_usd

    return cost, (
        f"Simulated: recorded runs timed and priced under the preset {name}, one request per step; "
        "the LRM alone writes its answer in one."
    )
