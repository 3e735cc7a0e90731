"""Stretches against one request per step, on identical decisions.

    python -m bench.handover --items 10

Both sides think greedily with the bundled pair and must write the same steps by the same authors
for the same reasons; they differ only in how many requests that takes. They take turns, problem
by problem, and each begins every other time.
"""

from __future__ import annotations

import asyncio
import statistics

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from trigreason.bundled import Problem, load_pair, profile
from trigreason.engines.base import Sampling
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Thresholds, Trace

Turns = tuple[Trace, Trace]
"""The same problem in stretches, and with one request per step."""


async def both_ways(
    pair: Pair, problem: Problem, thresholds: Thresholds, per_step_first: bool
) -> Turns:
    traces: dict[bool, Trace] = {}
    for per_step in (per_step_first, not per_step_first):
        traces[per_step] = await completed(
            reason(
                pair,
                problem.question,
                thresholds=thresholds,
                sampling=Sampling(temperature=0),
                budget=BUDGET,
                request_per_step=per_step,
            )
        )
    return traces[False], traces[True]


async def measure(problems: list[Problem], thresholds: Thresholds) -> list[Turns]:
    pair = await load_pair()
    try:
        return [
            await both_ways(pair, problem, thresholds, per_step_first=index % 2 == 1)
            for index, problem in enumerate(
                track(problems, "solving", console=Console(stderr=True), transient=True)
            )
        ]
    finally:
        await pair.close()


def report(turns: list[Turns], title: str) -> Table:
    same = [pair for pair in turns if pair[0].fingerprint() == pair[1].fingerprint()]
    shown = Table(title=f"{title}: {len(same)} of {len(turns)} problems with identical decisions")
    for heading in ("per problem", "stretches", "request per step", "ratio"):
        shown.add_column(heading, justify="left" if heading == "per problem" else "right")
    if not same:
        return shown
    requests = [statistics.fmean(len(pair[side].stretches) for pair in same) for side in (0, 1)]
    seconds = [statistics.fmean(pair[side].seconds for pair in same) for side in (0, 1)]
    steps = statistics.fmean(len(pair[0].steps) for pair in same)
    shown.add_row("steps", f"{steps:.1f}", f"{steps:.1f}", "")
    for name, (ours, theirs), digits in (("requests", requests, 2), ("seconds", seconds, 4)):
        shown.add_row(name, f"{ours:.{digits}f}", f"{theirs:.{digits}f}", f"{theirs / ours:.2f}")
    return shown


def main() -> None:
    chosen = parser(__doc__, items=10).parse_args()
    problems, source = chosen_problems(chosen)
    console = Console(width=None if Console().is_terminal else 100)
    console.print(f"{machine()}\n{source}, greedy\n", highlight=False)
    for title, thresholds in (
        ("The pair's profile", profile()),
        ("The paper for BBH (n = 5)", Thresholds(n=5)),
    ):
        console.print(report(asyncio.run(measure(problems, thresholds)), title))


if __name__ == "__main__":
    main()
