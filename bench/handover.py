"""Stretches against one request per step, on identical decisions.

    python -m bench.handover --items 10

Both sides think greedily with the bundled pair and must write the same steps by the same authors
for the same reasons; they differ only in how many requests that takes. They take turns, problem
by problem, and each begins every other time.
"""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import replace
from typing import NamedTuple

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


class Setting(NamedTuple):
    label: str
    method: str
    thresholds: Thresholds


def settings() -> list[Setting]:
    """From no handover at all to one every few steps."""
    own = profile()
    return [
        Setting("LRM only", "lrm", own),
        Setting("SRM only", "srm", own),
        Setting("TrigReason, priming alone", "trigreason", replace(own, rho=1.0)),
        Setting("TrigReason, the pair's profile", "trigreason", own),
        Setting("TrigReason, paper for BBH (n = 5)", "trigreason", Thresholds(n=5)),
        Setting("SpecReason", "specreason", Thresholds()),
    ]


async def both_ways(pair: Pair, problem: Problem, setting: Setting, per_step_first: bool) -> Turns:
    traces: dict[bool, Trace] = {}
    for per_step in (per_step_first, not per_step_first):
        traces[per_step] = await completed(
            reason(
                pair,
                problem.question,
                setting.method,
                thresholds=setting.thresholds,
                sampling=Sampling(temperature=0),
                budget=BUDGET,
                request_per_step=per_step,
            )
        )
    return traces[False], traces[True]


async def measure(problems: list[Problem]) -> dict[str, list[Turns]]:
    pair = await load_pair()
    turns: dict[str, list[Turns]] = {setting.label: [] for setting in settings()}
    progress = track(problems, "solving", console=Console(stderr=True), transient=True)
    try:
        for index, problem in enumerate(progress):
            for setting in settings():
                both = await both_ways(pair, problem, setting, per_step_first=index % 2 == 1)
                turns[setting.label].append(both)
    finally:
        await pair.close()
    return turns


def report(measured: dict[str, list[Turns]]) -> Table:
    shown = Table(title="Per problem: stretches / one request per step")
    for heading in ("", "identical", "steps", "requests", "ratio", "seconds", "ratio"):
        shown.add_column(heading, justify="right" if heading else "left")
    for label, turns in measured.items():
        same = [both for both in turns if both[0].fingerprint() == both[1].fingerprint()]
        identical = f"{len(same)} of {len(turns)}"
        if not same:
            shown.add_row(label, identical)
            continue
        requests = [statistics.fmean(len(both[side].stretches) for both in same) for side in (0, 1)]
        seconds = [statistics.fmean(both[side].seconds for both in same) for side in (0, 1)]
        shown.add_row(
            label,
            identical,
            f"{statistics.fmean(len(both[0].steps) for both in same):.1f}",
            f"{requests[0]:.2f} / {requests[1]:.2f}",
            f"{requests[1] / requests[0]:.2f}",
            f"{seconds[0]:.3f} / {seconds[1]:.3f}",
            f"{seconds[1] / seconds[0]:.2f}",
        )
    return shown


def main() -> None:
    chosen = parser(__doc__, items=10).parse_args()
    problems, source = chosen_problems(chosen)
    console = Console(width=None if Console().is_terminal else 120)
    console.print(f"{machine()}\n{source}, greedy\n", highlight=False)
    console.print(report(asyncio.run(measure(problems))))


if __name__ == "__main__":
    main()
