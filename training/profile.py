"""Which thresholds fit the bundled pair: accuracy and SMT over a grid, on held-out problems.

`python -m training.profile --items 20` prints one table; no published problem is looked at. What is
chosen from it is written into src/trigreason/bundled/pair.toml by hand, with this command.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from statistics import fmean

from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.held_out import development
from training.recipes import FAMILIES
from trigreason.answers import is_right
from trigreason.budget import Budget
from trigreason.bundled import Problem, load_pair
from trigreason.engines.base import Sampling
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Direction, Thresholds, Trace

BUDGET = Budget(thinking_tokens=900, answer_tokens=64)
UNDER = (
    *((1.05, rho) for rho in (0.9, 0.92, 0.93, 0.95)),
    *((1.2, rho) for rho in (0.9, 0.95)),
    *((1.5, rho) for rho in (0.95, 0.99)),
    (2.0, 0.99),
)
"""tau and rho; at 0.99 a single token beyond tau marks a step."""

Run = tuple[Problem, Trace]


def grid() -> Iterator[Thresholds]:
    """No offload at all, then both directions, each with and without priming."""
    for n in (0, 1):
        yield Thresholds(n=n, rho=1)
        for rho in (0.85, 0.95):
            yield Thresholds(n=n, rho=rho)
        for tau, rho in UNDER:
            yield Thresholds(n=n, tau=tau, rho=rho, direction=Direction.UNDER)


async def solve_all(pair: Pair, thresholds: Thresholds, problems: Sequence[Problem]) -> list[Run]:
    runs = []
    for problem in problems:
        events = reason(
            pair,
            problem.question,
            thresholds=thresholds,
            sampling=Sampling(temperature=0),
            budget=BUDGET,
        )
        runs.append((problem, await completed(events)))
    return runs


async def measure(problems: Sequence[Problem]) -> list[tuple[Thresholds, list[Run]]]:
    pair = await load_pair()
    try:
        progress = track(list(grid()), "measuring", console=Console(stderr=True), transient=True)
        return [(each, await solve_all(pair, each, problems)) for each in progress]
    finally:
        await pair.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20, help="problems per family")
    items = parser.parse_args().items
    problems = [
        Problem(family, each.question, each.target)
        for family in FAMILIES
        for each in development(family)[:items]
    ]
    table = Table(title=f"{len(problems)} held-out problems, greedy, k = 2, m = 1")
    for heading in ("n", "τ", "ρ", "direction", "right, %", "SMT, %", "LRM tokens", "drafts"):
        table.add_column(heading, justify="right")
    for each, runs in asyncio.run(measure(problems)):
        right = fmean(is_right(trace.answer, problem.target) for problem, trace in runs)
        table.add_row(
            str(each.n),
            f"{each.tau:g}",
            f"{each.rho:g}",
            each.direction.value,
            f"{100 * right:.1f}",
            f"{100 * fmean(trace.smt or 0 for _, trace in runs):.1f}",
            f"{fmean(trace.use(Author.LRM).completion_tokens for _, trace in runs):.0f}",
            f"{fmean(len(trace.drafts) for _, trace in runs):.2f}",
        )
    Console(width=None if Console().is_terminal else 100).print(table)


if __name__ == "__main__":
    main()
