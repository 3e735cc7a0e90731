"""What an item comes to: rows of numbers, the paper's beside them, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from trigreason.evaluation.statistics import Estimate
from trigreason.paper.item import Item, PaperNumber
from trigreason.paper.measures import MEASURES


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredNumber:
    """One measured number.

    Attributes:
        pair: the pair's name.
        task: the task's name.
        arm: the arm's label, or the kind of step or trajectory.
        measure: a key of ``MEASURES``.
        estimate: the number with its 95 % interval.
        method: the arm's method where it stands for one, for its colour and marker.
        x: the value varied, in a sweep.
        question: the question that the number is about, where it is about one.
    """

    pair: str
    task: str
    arm: str
    measure: str
    estimate: Estimate
    method: str = ""
    x: float | None = None
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An item, carried out.

    ``setup`` says on what: pairs with their models, tasks with their sizes, thresholds of each
    arm. ``notes`` are sentences that belong below the table. ``detail`` is what the figure shows
    besides the rows. ``missing`` counts answers that were wanted and failed.
    """

    item: Item
    quick: bool
    rows: Sequence[MeasuredNumber]
    setup: Mapping[str, Any]
    notes: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    missing: int = 0

    def of(self, measure: str) -> list[MeasuredNumber]:
        """The rows of one measure that are about all questions."""
        return [row for row in self.rows if row.measure == measure and not row.question]

    def paper(self, measure: str) -> list[PaperNumber]:
        """The paper's numbers of one measure."""
        return [each for each in self.item.paper.numbers if each.measure == measure]

    @property
    def measures(self) -> list[str]:
        """What is measured or given, in the order of the rows."""
        names = [row.measure for row in self.rows if not row.question]
        names += [each.measure for each in self.item.paper.numbers]
        return list(dict.fromkeys(names))

    @property
    def pairs(self) -> list[str]:
        return list(dict.fromkeys(row.pair for row in self.rows))

    def to_json(self) -> dict[str, Any]:
        """Everything in plain values; shares as shares, costs in USD."""
        return {
            "item": self.item.id,
            "title": self.item.title,
            "section": self.item.section,
            "quick": self.quick,
            "setup": dict(self.setup),
            "rows": [_row_to_json(row) for row in self.rows],
            "paper": {
                "models": self.item.paper.models,
                "said": self.item.paper.said,
                "numbers": [each.model_dump(exclude_none=True) for each in self.item.paper.numbers],
            },
            "notes": list(self.notes),
            "missing": self.missing,
            "detail": dict(self.detail),
        }


def _row_to_json(row: MeasuredNumber) -> dict[str, Any]:
    values = asdict(row)
    del values["estimate"]
    kept = {name: value for name, value in values.items() if value not in ("", None)}
    ends = {} if row.estimate.has_interval else {"low": None, "high": None}
    return kept | row.estimate._asdict() | ends


class NumberCell(NamedTuple):
    """A number as it is written, and the ends of its interval (none where there is none)."""

    value: str
    ends: tuple[str, ...] = ()


class ArmEntry(NamedTuple):
    """One line of an item's table: everything that is known of one arm.

    ``source`` is the pair's name, or what the paper measured on; ``is_paper`` tells which.
    """

    source: str
    task: str
    arm: str
    is_paper: bool
    cells: Mapping[str, NumberCell]


def entries(result: Result) -> list[ArmEntry]:
    """The table: measured arms first, then the paper's; cells by measure."""
    measured: dict[tuple[str, str, str], dict[str, NumberCell]] = {}
    for row in result.rows:
        if not row.question:
            cells = measured.setdefault((row.pair, row.task, row.arm), {})
            cells[row.measure] = _measured_cell(row)
    given: dict[tuple[str, str, str], dict[str, NumberCell]] = {}
    for each in result.item.paper.numbers:
        models = each.models or result.item.paper.models
        cells = given.setdefault((models, each.task, each.arm), {})
        cells[each.measure] = _paper_cell(each)
    return [
        ArmEntry(*about, is_paper, cells)
        for is_paper, known in ((False, measured), (True, given))
        for about, cells in known.items()
    ]


def _measured_cell(row: MeasuredNumber) -> NumberCell:
    measure, estimate = MEASURES[row.measure], row.estimate
    if not estimate.has_interval or estimate.low == estimate.high:
        return NumberCell(measure.shown(estimate.value))
    ends = (measure.shown(estimate.low), measure.shown(estimate.high))
    return NumberCell(measure.shown(estimate.value), ends)


def _paper_cell(number: PaperNumber) -> NumberCell:
    measure = MEASURES[number.measure]
    if number.value is not None:
        return NumberCell(measure.as_given(number.value))
    ends = [None if end is None else measure.as_given(end) for end in (number.low, number.high)]
    match ends:
        case [None, str(high)]:
            return NumberCell(f"up to {high}")
        case [str(low), None]:
            return NumberCell(f"from {low}")
        case _:
            return NumberCell(f"{ends[0]} to {ends[1]}")
