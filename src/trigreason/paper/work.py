"""The input and the output of a kind's computation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.runs import Run
from trigreason.paper.item import Item, ItemSetting, PlannedArm
from trigreason.paper.result import MeasuredNumber, ShownTable
from trigreason.studies.judging import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The runs of one arm of an item, on one task, with one pair; ``missing`` ones failed."""

    pair: str
    task: str
    planned: PlannedArm
    arm: Arm
    runs: Sequence[Run]
    missing: int = 0

    def samples(self, value: Callable[[Run], float | None]) -> dict[str, list[float]]:
        """One number per run, by question; runs without one are left out."""
        samples: dict[str, list[float]] = {}
        for run in self.runs:
            number = value(run)
            if number is not None:
                samples.setdefault(run.sample, []).append(number)
        return samples

    def row(self, measure: str, estimate: Any, **changes: Any) -> MeasuredNumber:
        """A row of this arm."""
        about: dict[str, Any] = {
            "pair": self.pair,
            "task": self.task,
            "arm": self.planned.label,
            "method": self.planned.method,
            "x": self.planned.x,
        }
        return MeasuredNumber(measure=measure, estimate=estimate, **(about | changes))


class Judging(Protocol):
    """The available judges, by name."""

    def judges(self) -> Sequence[str]:
        """All judges, the pairs' LRMs first."""

    def lrm(self, pair: str) -> str:
        """The LRM of this pair."""

    def scores(self, judge: str, trajectories: Sequence[Trajectory]) -> list[list[float | None]]:
        """The score of each step of each trajectory; None if the judge wrote no digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An item, its sizes, and the recorded runs of all pairs and tasks.

    ``measured`` uses recorded seconds and USD instead of simulating a deployment.
    """

    item: Item
    setting: ItemSetting
    recorded: Sequence[Recorded]
    judging: Judging
    measured: bool = False

    def grouped(self) -> dict[tuple[str, str], dict[str, Recorded]]:
        """The arms by label, by pair and task."""
        groups: dict[tuple[str, str], dict[str, Recorded]] = {}
        for arm in self.recorded:
            groups.setdefault((arm.pair, arm.task), {})[arm.planned.label] = arm
        return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a kind computes; see ``Result`` for the fields."""

    rows: Sequence[MeasuredNumber]
    notes: Sequence[str] = ()
    tables: Sequence[ShownTable] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
