"""All methods on the bundled pair: accuracy, who wrote what, and seconds, in one run.

    python -m bench.bundled --items 100

Every problem is put to every row in turn, so that a busy machine slows all rows alike.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.common import chosen_problems, machine, parser, wilson
from trigreason.answers import is_right
from trigreason.budget import Budget
from trigreason.bundled import Problem, load_pair, profile
from trigreason.engines.base import Sampling
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Thresholds, Trace, Trigger

BUDGET = Budget(thinking_tokens=900, answer_tokens=64)


@dataclass
class Row:
    """A method under some thresholds, and what came of it."""

    label: str
    method: str
    thresholds: Thresholds
    runs: list[tuple[Problem, Trace]] = field(default_factory=list)

    def right(self, family: str | None = None) -> tuple[int, int]:
        """Right answers and all answers, in one family or in all."""
        own = [run for run in self.runs if family in (None, run[0].family)]
        return sum(is_right(trace.answer, problem.target) for problem, trace in own), len(own)

    def mean(self, value: Callable[[Trace], float]) -> float:
        return statistics.fmean(value(trace) for _, trace in self.runs)


def rows() -> list[Row]:
    own = profile()
    return [
        Row("SRM only", "srm", own),
        Row("LRM only", "lrm", own),
        Row("SpecReason", "specreason", Thresholds()),
        Row("TrigReason, paper (n = 20)", "trigreason", Thresholds()),
        Row("TrigReason, paper for BBH (n = 5)", "trigreason", Thresholds(n=5)),
        Row("TrigReason, the pair's profile", "trigreason", own),
    ]


async def measure(table: list[Row], problems: list[Problem], sampling: Sampling) -> None:
    pair = await load_pair()
    try:
        for problem in track(problems, "solving", console=Console(stderr=True), transient=True):
            for row in table:
                trace = await completed(
                    reason(
                        pair,
                        problem.question,
                        row.method,
                        thresholds=row.thresholds,
                        sampling=sampling,
                        budget=BUDGET,
                    )
                )
                row.runs.append((problem, trace))
    finally:
        await pair.close()


def accuracy_table(table: list[Row]) -> Table:
    families = [family for family, _ in groupby(problem.family for problem, _ in table[0].runs)]
    shown = Table("right, % (95 %)", *(row.label for row in table), title="Accuracy by family")
    shown.columns[0].min_width = max(map(len, families))
    for family in families:
        shown.add_row(family, *(share(*row.right(family)) for row in table))
    return shown


def share(right: int, total: int, digits: int = 0) -> str:
    """Per cent, with the 95 % interval in brackets."""
    interval = wilson(right, total)
    low, high = f"{100 * interval.low:.{digits}f}", f"{100 * interval.high:.{digits}f}"
    return f"{100 * right / total:.{digits}f} ({low}-{high})"


def summary_table(table: list[Row]) -> Table:
    shown = Table(title="Per problem, means")
    for heading in (
        "method",
        "right, % (95 %)",
        "SMT, %",
        "SRM tokens",
        "LRM tokens",
        "drafts",
        "LRM requests",
        "requests",
        "handovers P/O/I/J",
        "seconds",
        "x LRM only",
    ):
        shown.add_column(heading, justify="left" if heading == "method" else "right")
    reference = table[1].mean(lambda trace: trace.seconds)
    for row in table:
        shown.add_row(*summary(row, reference))
    return shown


def summary(row: Row, reference_seconds: float) -> list[str]:
    seconds = row.mean(lambda trace: trace.seconds)
    fired = [
        row.mean(lambda trace, trigger=trigger: trace.handovers_by_trigger.get(trigger, 0))  # type: ignore[misc]
        for trigger in Trigger
    ]
    return [
        row.label,
        share(*row.right(), digits=1),
        f"{100 * row.mean(lambda trace: trace.smt or 0):.1f}",
        f"{row.mean(lambda trace: trace.use(Author.SRM).completion_tokens):.0f}",
        f"{row.mean(lambda trace: trace.use(Author.LRM).completion_tokens):.0f}",
        f"{row.mean(lambda trace: len(trace.drafts)):.2f}",
        f"{row.mean(lambda trace: trace.use(Author.LRM).requests):.2f}",
        f"{row.mean(lambda trace: len(trace.stretches)):.2f}",
        "/".join(f"{count:.2f}" for count in fired),
        f"{seconds:.3f}",
        f"{seconds / reference_seconds:.2f}",
    ]


def main() -> None:
    arguments = parser(__doc__, items=100)
    arguments.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
    chosen = arguments.parse_args()
    problems, source = chosen_problems(chosen)
    table = rows()
    sampling = Sampling(temperature=chosen.temperature, seed=chosen.seed)
    asyncio.run(measure(table, problems, sampling))
    console = Console(width=None if Console().is_terminal else 180)
    console.print(f"{machine()}\n{source}, temperature {chosen.temperature:g}\n", highlight=False)
    console.print(accuracy_table(table), summary_table(table))
    console.print("handovers: P priming, O offload, I intervention request, J judge rejection")


if __name__ == "__main__":
    main()
