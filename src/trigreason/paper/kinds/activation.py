"""Table 2: the share of steps that each trigger caused, with accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trigreason.paper.kinds.accuracy import accuracy_and_smt
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Trace, Trigger
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


@dataclass(frozen=True, slots=True)
class Activation:
    """Steps of one run's final thinking, and how many of them each trigger had the LRM write."""

    steps: int
    by_trigger: Mapping[Trigger, int]

    @property
    def triggered(self) -> int:
        return sum(self.by_trigger.values())


def activation(trace: Trace) -> Activation:
    """Count the standing steps of a run, and those that stand there because of each trigger.

    An offloaded step counts once, as the LRM wrote it; its draft is no step of the final thinking.
    """
    standing = [step for step in trace.standing if step.text.strip()]
    counts: dict[Trigger, int] = {
        trigger: sum(step.trigger is trigger for step in standing)
        for trigger in Trigger
        if trigger is not Trigger.JUDGE_REJECTION
    }
    return Activation(len(standing), counts)
