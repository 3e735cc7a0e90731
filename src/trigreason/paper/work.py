"""What a kind of item is given to work with, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.runs import Run
from trigreason.paper.item import Item, ItemSetting, PlannedArm
from trigreason.paper.result import MeasuredNumber
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
        """A number of each run, by question; runs that have none are left out."""
        found: dict[str, list[float]] = {}
        for run in self.runs:
            number = value(run)
            if number is not None:
                found.setdefault(run.sample, []).append(number)
        return found

    def row(self, measure: str, estimate: Any, **changes: Any) -> MeasuredNumber:
        """A row about this arm."""
        about: dict[str, Any] = {
            "pair": self.pair,
            "task": self.task,
            "arm": self.planned.label,
            "method": self.planned.method,
            "x": self.planned.x,
        }
        return MeasuredNumber(measure=measure, estimate=estimate, **(about | changes))


class Judging(Protocol):
    """The judges at hand, by their names."""

    def judges(self) -> Sequence[str]:
        """All of them; the pairs' LRMs come first."""

    def lrm(self, pair: str) -> str:
        """The LRM of this pair."""

    def scores(self, judge: str, trajectories: Sequence[Trajectory]) -> list[list[float | None]]:
        """The score of each step of each trajectory; None for a step whose score is no digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An item, its sizes, and the recorded runs of all pairs and tasks.

    ``measured`` takes recorded seconds and USD where a deployment would else be simulated.
    """

    item: Item
    setting: ItemSetting
    recorded: Sequence[Recorded]
    judging: Judging
    measured: bool = False

    def grouped(self) -> dict[tuple[str, str], dict[str, Recorded]]:
        """By pair and task, the arms by their labels."""
        groups: dict[tuple[str, str], dict[str, Recorded]] = {}
        for each in self.recorded:
            groups.setdefault((each.pair, each.task), {})[each.planned.label] = each
        return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a kind makes of its work; see ``Result``."""

    rows: Sequence[MeasuredNumber]
    notes: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
