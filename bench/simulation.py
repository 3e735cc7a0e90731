"""Simulated runs against real ones: seconds and USD of both, from one run of this program.

    python -m bench.simulation --items 1

Every problem is first put to the bundled pair directly, with no delay, once per method. From that
trace alone ``trigreason.studies.simulation`` tells what the run would take behind a network, with
one request per step or per stretch, warm, or hedged. Then the same problem is really run so,
through :mod:`bench.delay_proxy`, greedily, so that the same steps come; where they do not, both
sides leave the run out, and it is counted. A step that the server ended, not the client, has one
token more on the real side: llama.cpp tells the blank line apart from the token that holds it.

The LRM is an API at the prices of DeepSeek V3.1 that bills closed streams. On the way that its
proxy delays requests nothing is under way when a stream is closed, so ``closing`` is 0 here.
Requests that were cancelled before their prompt was counted cost nothing on the real side.
"""

from __future__ import annotations

import asyncio
import statistics
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from bench.delay_proxy import Network, proxied
from bench.edge_cloud import Row, run
from bench.edge_figures import CACHE_UNIT, PRICES, asked_of_lrm, billed
from trigreason.bundled import Problem, load_pair, profile
from trigreason.engines.base import Sampling
from trigreason.hiding import Hiding
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Trace
from trigreason.studies.simulation import Deployment, Server, Simulated, simulate

WITHIN = 0.1
"""How far the simulation may be off the real runs, as a share of their mean."""


class Situation(NamedTuple):
    """Where the models are. ``cache_unit`` is in tokens, for reading and for billing alike."""

    title: str
    cloud: Network
    edge: Network
    cache_unit: int

    def deployment(self, row: Row) -> Deployment:
        """What the proxies make of a row, told to the simulation."""
        return Deployment(
            srm=_served(self.edge),
            lrm=replace(
                _served(self.cloud),
                cache_unit=self.cache_unit,
                bills_closed_streams=True,
                prices=PRICES,
            ),
            request_per_step=row.request_per_step,
            hiding=row.hiding,
        )


def _served(network: Network) -> Server:
    return Server(
        round_trip=network.round_trip,
        first_token=network.first_token,
        token_rate=network.token_rate,
        prefill_rate=network.prefill_rate,
        closing=0.0,
    )


@dataclass
class Sides:
    """Runs of one row, simulated and real, of the same steps; ``different`` had others."""

    simulated: list[Simulated] = field(default_factory=list)
    real: list[Trace] = field(default_factory=list)
    different: int = 0

    def add(self, recorded: Trace, real: Trace, deployment: Deployment) -> None:
        if _written(recorded) == _written(real):
            self.simulated.append(simulate(recorded, deployment))
            self.real.append(real)
        else:
            self.different += 1

    def figures(self, cache_unit: int) -> Iterator[tuple[float, float]]:
        """Means, simulated and real: seconds, LRM requests, USD per 1,000 runs."""
        lrm = Author.LRM
        yield self._means(
            [each.seconds for each in self.simulated], [each.seconds for each in self.real]
        )
        yield self._means(
            [len(each.of(lrm)) for each in self.simulated],
            [len(asked_of_lrm(each)) for each in self.real],
        )
        yield self._means(
            [1000 * each.usd[lrm] for each in self.simulated],
            [1000 * _usd(each, cache_unit) for each in self.real],
        )

    @staticmethod
    def _means(simulated: Sequence[float], real: Sequence[float]) -> tuple[float, float]:
        return statistics.fmean(simulated), statistics.fmean(real)


def _written(trace: Trace) -> list[object]:
    """All that a fingerprint looks at, but for the tokens of a step."""
    steps = (
        [each.author, each.text, each.trigger, each.standing, each.score] for each in trace.steps
    )
    return [*steps, trace.answer]


def _usd(trace: Trace, cache_unit: int) -> float:
    """What the LRM's requests cost; those whose prompt nobody counted are left out."""
    in_units = cache_unit == CACHE_UNIT
    requests = (billed(each) if in_units else each for each in asked_of_lrm(trace))
    return sum(PRICES.cost(each) or 0.0 for each in requests)


def rows(warm_tokens: int) -> list[Row]:
    own = profile()
    specreason = Row("SpecReason", "specreason", own)
    trigreason = Row("TrigReason", "trigreason", own)
    return [
        Row("LRM only", "lrm", own),
        specreason.per_step(),
        specreason,
        trigreason.per_step(),
        trigreason,
        trigreason._replace(label="TrigReason, warm", hiding=Hiding(warm_tokens=warm_tokens)),
        trigreason._replace(label="TrigReason, hedge", hiding=Hiding(hedge=True)),
    ]


async def record(problems: Sequence[Problem], methods: set[str]) -> dict[tuple[str, str], Trace]:
    """One run per problem and method, with no network in between."""
    recorded: dict[tuple[str, str], Trace] = {}
    pair = await load_pair()
    try:
        for problem in problems:
            for method in sorted(methods):
                recorded[problem.question, method] = await completed(
                    reason(
                        pair,
                        problem.question,
                        method,
                        thresholds=profile(),
                        sampling=Sampling(temperature=0),
                        budget=BUDGET,
                    )
                )
    finally:
        await pair.close()
    return recorded


async def measure(
    situation: Situation, table: Sequence[Row], problems: Sequence[Problem], at_once: int
) -> dict[str, Sides]:
    """Every row on every problem, ``at_once`` of the real runs at a time."""
    recorded = await record(problems, {row.method for row in table})
    sides = {row.label: Sides() for row in table}
    turns = iter((row, problem) for problem in problems for row in table)
    with ExitStack() as stack:
        cloud = stack.enter_context(proxied(situation.cloud))
        edge = stack.enter_context(proxied(situation.edge))
        progress = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
        task = progress.add_task(situation.title, total=len(table) * len(problems))

        async def lane() -> None:
            for row, problem in turns:
                real = await run(row, problem, cloud, edge)
                direct = recorded[problem.question, row.method]
                sides[row.label].add(direct, real, situation.deployment(row))
                progress.advance(task)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(at_once):
                lanes.create_task(lane())
    return sides


def comparison(situation: Situation, sides: dict[str, Sides]) -> Table:
    shown = Table(title=f"Per problem, means: {situation.title}")
    shown.add_column("")
    shown.add_column("runs", justify="right")
    for figure in ("seconds", "LRM requests", "USD per 1,000"):
        for heading in (f"{figure}, simulated", "real", "ratio"):
            shown.add_column(heading, justify="right")
    shown.add_column(f"within {WITHIN:.0%}")
    for label, each in sides.items():
        told = f"{len(each.real)}" + (f" (-{each.different})" if each.different else "")
        if not each.real:
            shown.add_row(label, told)
            continue
        cells: list[str] = []
        fits = True
        for digits, (simulated, real) in zip(
            (2, 2, 4), each.figures(situation.cache_unit), strict=True
        ):
            ratio = simulated / real
            fits = fits and abs(ratio - 1) <= WITHIN
            cells += [f"{simulated:.{digits}f}", f"{real:.{digits}f}", f"{ratio:.3f}"]
        shown.add_row(label, told, *cells, "yes" if fits else "no")
    shown.caption = "(-n): n runs that came to other steps are left out on both sides"
    return shown


def situations(chosen: Namespace) -> list[Situation]:
    cloud = Network(
        round_trip=chosen.round_trip, first_token=chosen.first_token, token_rate=chosen.lrm_rate
    )
    edge = Network(first_token=chosen.edge_first_token, token_rate=chosen.srm_rate)
    told = (
        f"round trip {chosen.round_trip:g} s, first token {chosen.first_token:g} s, "
        f"{chosen.edge_first_token:g} s on the edge, SRM {chosen.srm_rate:g} tokens/s, "
        f"LRM {chosen.lrm_rate:g}"
    )
    slow = replace(cloud, prefill_rate=chosen.prefill_rate)
    return [
        Situation(told, cloud, edge, CACHE_UNIT),
        Situation(f"{told}, reading {chosen.prefill_rate:g}", slow, edge, 1),
    ]


def main() -> None:
    arguments = parser(__doc__, items=1)
    arguments.add_argument("--at-once", type=int, default=8, help="runs side by side")
    arguments.add_argument("--round-trip", type=float, default=0.08, help="seconds")
    arguments.add_argument("--first-token", type=float, default=1.0, help="seconds")
    arguments.add_argument("--edge-first-token", type=float, default=0.1, help="seconds, SRM")
    arguments.add_argument("--srm-rate", type=float, default=60.0, help="tokens/s")
    arguments.add_argument("--lrm-rate", type=float, default=60.0, help="tokens/s")
    arguments.add_argument("--prefill-rate", type=float, default=300.0, help="uncached tokens/s")
    arguments.add_argument("--warm-tokens", type=int, default=32, help="of thinking between reads")
    chosen = arguments.parse_args()
    problems, source = chosen_problems(chosen)
    console = Console(width=None if Console().is_terminal else 180)
    console.print(
        f"{machine()}\n{source}, greedy, {chosen.at_once} runs at once\n", highlight=False
    )
    for situation in situations(chosen):
        table = rows(chosen.warm_tokens)
        sides = asyncio.run(measure(situation, table, problems, chosen.at_once))
        console.print(comparison(situation, sides))


if __name__ == "__main__":
    main()
