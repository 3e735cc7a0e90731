"""An item's result: measured rows, the paper's numbers beside them, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from trigreason.evaluation.statistics import Estimate
from trigreason.paper.item import Item, PaperNumber
from trigreason.paper.measures import MEASURES
from trigreason.reasoning import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredNumber:
    """One measured number.

    Attributes:
        pair: the pair's name.
        task: the task's name.
        arm: the arm's label, or the kind of step or trajectory.
        measure: a key of ``MEASURES``.
        estimate: the number with its 95 % interval.
        method: the arm's method, for its colour and marker; empty if it has none.
        x: the swept value, in a sweep.
        question: the question of the number; empty for numbers over all questions.
    """

    pair: str
    task: str
    arm: str
    measure: str
    estimate: Estimate
    method: str = ""
    x: float | None = None
    question: str = ""


class ShownTable(NamedTuple):
    """A table of texts on an item's page, under its title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of an item.

    ``setup`` has the pairs with their models, the tasks with their sizes, and each arm's
    thresholds. ``notes`` are sentences below the table, and ``tables`` further tables on the page.
    ``detail`` is what the figure shows besides the rows. ``missing`` counts the answers that
    failed.
    """

    item: Item
    quick: bool
    rows: Sequence[MeasuredNumber]
    setup: Mapping[str, Any]
    notes: Sequence[str] = ()
    tables: Sequence[ShownTable] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    missing: int = 0

    def of(self, measure: str) -> list[MeasuredNumber]:
        """The rows of one measure over all questions."""
        return [row for row in self.rows if row.measure == measure and not row.question]

    def paper(self, measure: str) -> list[PaperNumber]:
        """The paper's numbers of one measure."""
        return [number for number in self.item.paper.numbers if number.measure == measure]

    @property
    def shares_the_papers_axis(self) -> bool:
        """Whether the figure may put the paper's numbers beside the measured ones.

        Not where the arms differ in ρ and the offload is reversed (r < ρ), since the same value
        then means the opposite.
        """
        setting = self.item.quick if self.quick else self.item.full
        is_about_rho = self.item.kind == "activation" or (
            setting.sweep is not None and setting.sweep.of == "rho"
        )
        return not (is_about_rho and self.is_reversed)

    @property
    def is_reversed(self) -> bool:
        """Whether the offload of a TrigReason arm fires for r < ρ."""
        return any(
            arm["method"] == "trigreason" and arm["direction"] == Direction.UNDER
            for arm in self.setup["arms"]
        )

    @property
    def measures(self) -> list[str]:
        """All measures of the rows and of the paper's numbers, in order."""
        names = [row.measure for row in self.rows if not row.question]
        names += [number.measure for number in self.item.paper.numbers]
        return list(dict.fromkeys(names))

    @property
    def pairs(self) -> list[str]:
        return list(dict.fromkeys(row.pair for row in self.rows))

    def to_json(self) -> dict[str, Any]:
        """The result as plain values; shares from 0 to 1, costs in USD."""
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
                "numbers": [
                    number.model_dump(exclude_none=True) for number in self.item.paper.numbers
                ],
            },
            "notes": list(self.notes),
            "tables": [table._asdict() for table in self.tables],
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
    """A formatted number, and the ends of its interval (empty without an interval)."""

    value: str
    ends: tuple[str, ...] = ()


class ArmEntry(NamedTuple):
    """One line of an item's table: all numbers of one arm.

    ``source`` is the pair's name, or the paper's models if ``is_paper``.
    """

    source: str
    task: str
    arm: str
    is_paper: bool
    cells: Mapping[str, NumberCell]


def entries(result: Result) -> list[ArmEntry]:
    """The lines of the table: measured arms, then the paper's."""
    measured: dict[tuple[str, str, str], dict[str, NumberCell]] = {}
    for row in result.rows:
        if not row.question:
            cells = measured.setdefault((row.pair, row.task, row.arm), {})
            cells[row.measure] = _measured_cell(row)
    paper: dict[tuple[str, str, str], dict[str, NumberCell]] = {}
    for number in result.item.paper.numbers:
        models = number.models or result.item.paper.models
        cells = paper.setdefault((models, number.task, number.arm), {})
        cells[number.measure] = _paper_cell(number)
    return [
        ArmEntry(*about, is_paper, cells)
        for is_paper, lines in ((False, measured), (True, paper))
        for about, cells in lines.items()
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
        return NumberCell(measure.as_printed(number.value))
    ends = [None if end is None else measure.as_printed(end) for end in (number.low, number.high)]
    match ends:
        case [None, str(high)]:
            return NumberCell(f"up to {high}")
        case [str(low), None]:
            return NumberCell(f"from {low}")
        case _:
            return NumberCell(f"{ends[0]} to {ends[1]}")
