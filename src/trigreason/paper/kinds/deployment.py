"""Figures 2(c) and 2(d): latency and cost where the LRM is an API in the cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import inf

from trigreason.evaluation.statistics import mean_of
from trigreason.paper.item import Item
from trigreason.paper.kinds.accuracy import LRM_ONLY
from trigreason.paper.result import Row
from trigreason.paper.work import Made, Recorded, Work
from trigreason.reasoning.names import METHOD_NAMES
from trigreason.studies.runs import Run
from trigreason.studies.shares import ratio_of_means
from trigreason.studies.simulation import read_deployment, simulate

SPECREASON = METHOD_NAMES["specreason"]
TRIGREASON = METHOD_NAMES["trigreason"]

Cost = Callable[[Run], float | None]
"""Seconds or USD of a run; None for USD that nobody knows."""


def deployment(work: Work) -> Made:
    """Seconds or USD per answer, as the item has it, and how methods differ in it.

    Raises:
        ValueError: USD are to be measured, and the models have no prices.
    """
    measure = cost_of(work.item)
    cost, note = _measured(measure) if work.measured else _simulated(work, measure)
    rows: list[Row] = []
    for arms in work.grouped().values():
        values = {label: each.samples(cost) for label, each in arms.items()}
        if not all(values.values()):
            raise ValueError(
                "what a run cost is not known; give the engines prices in the configuration, or "
                "leave out --measured"
            )
        rows += _rows(arms, values, measure)
    return Made(rows=rows, notes=[note])


def cost_of(item: Item) -> str:
    """What the item is about: ``seconds`` or ``usd``."""
    return item.paper.numbers[0].measure.partition("_")[0]


def _rows(
    arms: Mapping[str, Recorded], values: Mapping[str, dict[str, list[float]]], measure: str
) -> Iterator[Row]:
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
    assert name is not None, "the schema wants a deployment of this kind"
    deployment = replace(read_deployment(name), request_per_step=True)

    def cost(run: Run) -> float | None:
        simulated = simulate(run.trace, deployment)
        return simulated.seconds if measure == "seconds" else simulated.total_usd

    return cost, (
        f"Simulated: recorded runs timed and priced under the preset {name}, one request per step."
    )
