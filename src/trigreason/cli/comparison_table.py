"""What a comparison came to: the table at its end, and the same as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rich import box
from rich.table import Table

from trigreason.evaluation.comparison import ArmOutcome, Plan
from trigreason.evaluation.statistics import Difference, Estimate
from trigreason.evaluation.summary import (
    ArmSummary,
    RunNumbers,
    accuracy_difference,
    measured,
    summarise,
)
from trigreason.reasoning import Author, Trigger
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import TRIGGER_NAMES

BASELINE = "lrm"
"""The method that the others are measured against."""


@dataclass(frozen=True, slots=True)
class Column:
    """One arm in numbers; ``difference`` is that of its accuracy to the baseline's."""

    name: str
    outcome: ArmOutcome
    summary: ArmSummary | None
    difference: Difference | None

    @property
    def tokens_per_second(self) -> float | None:
        """Thinking that stands and answers, per second of a run."""
        if self.summary is None or not self.summary.seconds.value:
            return None
        tokens = [*self.summary.standing.values(), *self.summary.answer.values()]
        return sum(each.value for each in tokens) / self.summary.seconds.value


def columns(outcomes: Sequence[ArmOutcome]) -> list[Column]:
    """The arms in numbers, in their order."""
    numbers = [[measured(run) for run in outcome.runs] for outcome in outcomes]
    baseline = next(
        (
            own
            for outcome, own in zip(outcomes, numbers, strict=True)
            if outcome.arm.method == BASELINE
        ),
        None,
    )
    return [
        Column(
            name=method_title(outcome.arm.method),
            outcome=outcome,
            summary=summarise(own) if own else None,
            difference=_difference(own, baseline),
        )
        for outcome, own in zip(outcomes, numbers, strict=True)
    ]


def _difference(own: list[RunNumbers], baseline: list[RunNumbers] | None) -> Difference | None:
    if baseline is None or own is baseline:
        return None
    return accuracy_difference(own, baseline)


Row = tuple[str, Callable[[Column], str]]


def comparison_table(plan: Plan, outcomes: Sequence[ArmOutcome]) -> Table:
    """One column per arm, one row per number; tokens, requests and so on are means per run."""
    shown = columns(outcomes)
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        title=f"{plan.task}, pair {plan.pair.name}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("", no_wrap=True)
    for column in shown:
        table.add_column(column.name, justify="right", no_wrap=True)
    for section in _sections(shown):
        for name, cell in section:
            table.add_row(name, *(cell(column) for column in shown))
        table.add_section()
    return table


def _sections(shown: Sequence[Column]) -> list[list[Row]]:
    """The rows that say something: what is right, who did what, and what hangs on the clock."""
    summaries = [column.summary for column in shown if column.summary is not None]
    fired = [trigger for trigger in TRIGGER_NAMES if any(trigger in s.handovers for s in summaries)]
    accuracy: list[Row] = [
        ("runs (questions)", _runs),
        ("accuracy, pass@1", _of(lambda s: s.accuracy, _percent)),
        ("  95 % interval", _of(lambda s: s.accuracy, _percent_interval)),
    ]
    if any(column.difference for column in shown):
        accuracy += [
            (f"  over {method_title(BASELINE)}, points", _above(_points)),
            ("    95 % interval", _above(_points_interval)),
            ("    p", _above(lambda difference: _p(difference.p))),
        ]
    work: list[Row] = [
        ("thinking tokens", _of(lambda s: s.standing, _total)),
        ("  by the SRM (SMT)", _of(lambda s: s.smt, _percent)),
        ("drafts", _of(lambda s: s.drafts, _amount)),
        ("  their tokens", _of(lambda s: s.draft_tokens, _amount)),
        ("tokens of scores", _of(lambda s: s.judging, _amount)),
        ("SRM requests", _of(lambda s: s.requests[Author.SRM], _amount)),
        ("LRM requests", _of(lambda s: s.requests[Author.LRM], _amount)),
    ]
    if any(s.unreadable.value for s in summaries):
        work.append(("  UNREADABLE scores, taken for 0", _of(lambda s: s.unreadable, _amount)))
    if fired:
        work.append(("handovers to the LRM", _of(lambda s: s.handovers, _total)))
        work += [_handovers(trigger) for trigger in fired]
    work.append(("cut off", _of(lambda s: s.truncated, _percent)))
    # a stream that is closed has brought more than was asked for, now more of it and now less
    clock: list[Row] = [
        ("SRM tokens generated", _of(lambda s: s.generated[Author.SRM], _amount)),
        ("LRM tokens generated", _of(lambda s: s.generated[Author.LRM], _amount)),
        ("seconds", _of(lambda s: s.seconds, lambda each: f"{each.value:.2f}")),
        ("tokens/s", lambda column: _number(column.tokens_per_second)),
    ]
    if any(s.usd for s in summaries):
        clock.append(("USD", _of(lambda s: s.usd, lambda each: f"{each.value:.4f}")))
    return [accuracy, work, clock]


def _of(part: Callable[[ArmSummary], Any], shown: Callable[[Any], str]) -> Callable[[Column], str]:
    """A cell that shows a part of the summary, or a dash where there is none."""

    def cell(column: Column) -> str:
        value = None if column.summary is None else part(column.summary)
        return "–" if value is None else shown(value)

    return cell


def _above(shown: Callable[[Difference], str]) -> Callable[[Column], str]:
    return lambda column: "–" if column.difference is None else shown(column.difference)


def _handovers(trigger: Trigger) -> Row:
    return f"  {TRIGGER_NAMES[trigger]}", _of(lambda s: s.handovers.get(trigger), _amount)


def _runs(column: Column) -> str:
    there, planned = len(column.outcome.runs), column.outcome.planned
    count = f"{there:,}" if there == planned else f"{there:,} of {planned:,}"
    return f"{count} ({column.summary.questions:,})" if column.summary else count


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} %"


def _percent_interval(estimate: Estimate) -> str:
    if not estimate.has_interval:
        return "–"
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"


def _points(difference: Difference) -> str:
    return f"{100 * difference.value:+.1f}"


def _points_interval(difference: Difference) -> str:
    bounds = (100 * difference.low, 100 * difference.high)
    return ", ".join(f"{bound:.1f}" if abs(bound) < 100 else f"{bound:.0f}" for bound in bounds)


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _total(parts: dict[Any, Estimate]) -> str:
    return _number(sum(each.value for each in parts.values())) if parts else "–"


def _amount(estimate: Estimate) -> str:
    return _number(estimate.value) if estimate.value else "–"


def _number(value: float | None) -> str:
    """Three digits or so, which is what there is to know of a mean."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


CLOCK = ("generated", "seconds", "seconds_median", "seconds_p95", "usd")
"""Parts of a summary that are not the same again, although the runs are."""


def comparison_to_json(plan: Plan, outcomes: Sequence[ArmOutcome]) -> dict[str, Any]:
    """All numbers of the table, with intervals; null for what is not known.

    All but ``log`` and ``clock`` is the same again for the same questions, seeds and models.
    """
    return {
        "task": plan.task,
        "pair": plan.pair.name,
        **plan.settings,
        "limit": plan.limit,
        "epochs": plan.epochs,
        "arms": [_arm_to_json(column) for column in columns(outcomes)],
    }


def _arm_to_json(column: Column) -> dict[str, Any]:
    outcome, summary = column.outcome, _plain(column.summary) or {}
    return {
        **outcome.arm.to_args(),
        "log": str(outcome.log) if outcome.log else None,
        "planned": outcome.planned,
        "complete": outcome.complete,
        "failed": [_plain(failed) for failed in outcome.errors],
        "summary": {name: value for name, value in summary.items() if name not in CLOCK},
        f"over_{BASELINE}": _plain(column.difference),
        "clock": {name: value for name, value in summary.items() if name in CLOCK}
        | {"tokens_per_second": column.tokens_per_second},
    }


def _plain(value: Any) -> Any:
    """Dataclasses and named tuples as objects; what is not finite as null."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
