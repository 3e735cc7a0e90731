"""Table 2: the share of steps that each trigger caused, with accuracy."""

from __future__ import annotations

from collections.abc import Iterator

from trigreason.paper.kinds.accuracy import accuracy_and_smt
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Trigger
from trigreason.studies.activation import activation
from trigreason.studies.shares import pooled

COLUMNS = {
    "offload": Trigger.COGNITIVE_OFFLOAD,
    "priming": Trigger.STRATEGIC_PRIMING,
    "request": Trigger.INTERVENTION_REQUEST,
    "repetition": Trigger.REPETITION,
}
"""The paper's three columns, and ``repetition``, which this project added."""


def shares(work: Work) -> Numbers:
    """Shares of the accepted steps, pooled over an arm's runs, and its accuracy and SMT."""
    rows = [row for arm in work.recorded for row in (*_shares(arm), *accuracy_and_smt(arm))]
    return Numbers(rows=rows)


def _shares(recorded: Recorded) -> Iterator[MeasuredNumber]:
    counted: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for run in recorded.runs:
        counts = activation(run.trace)
        of_triggers = {measure: counts.by_trigger[trigger] for measure, trigger in COLUMNS.items()}
        for measure, count in (of_triggers | {"triggered": counts.triggered}).items():
            by_question = counted.setdefault(measure, {})
            by_question.setdefault(run.sample, []).append((count, counts.steps))
    for measure, by_question in counted.items():
        yield recorded.row(measure, pooled(by_question))
