"""Edge and cloud: the LRM behind a network, priced as an API; what each method waits and pays.

    python -m bench.edge_cloud --items 2

The bundled pair on real llama.cpp. Every LRM request goes through :mod:`bench.delay_proxy`, which
adds a round trip of 80 ms and 1 s to the first token, and is billed as DeepSeek V3.1: input that
llama.cpp found in its cache as a hit, in the units of 64 tokens in which DeepSeek keeps and bills
it, the rest as a miss, and every token that arrived as output.
As a hosted API it is taken to bill closed streams, so a single step is ended by the server. The
SRM runs on the edge and costs nothing. Three situations:

    as it comes   both models write as fast as this machine lets them, 1,000 tokens/s and more
    paced         the same proxy holds the SRM to an edge device's ``--srm-rate`` and the LRM to an
                  API's ``--lrm-rate``
    long prompts  the same, and the LRM reads what is not in its cache at ``--prefill-rate``: the
                  prompts here are some thirty times shorter than those of real reasoning models,
                  and 300 tokens/s stand for 10,000 tokens read at 10,000 tokens/s

Every run starts on a pair of its own, loaded afresh, so that no row finds in a cache what another
one has paid for. ``--at-once`` runs go side by side: they mostly wait, and where that is no longer
so, "to first tokens" grows beyond the requests times the fixed delay. The rows take turns in
beginning a problem.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress

from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from bench.delay_proxy import Network, proxied
from bench.edge_figures import (
    HIDING_SAVINGS,
    PAPER_SAVINGS,
    PER_STEP_SAVINGS,
    PRICES,
    Comparison,
    Outcome,
    figures,
    savings,
)
from trigreason.bundled import Problem, load_pair, profile
from trigreason.engines.base import Engine, Sampling
from trigreason.engines.http import HttpEngine
from trigreason.hiding import Hiding
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Thresholds, Trace

CLOUD = Network(round_trip=0.08, first_token=1.0)

SPECREASON = "SpecReason"
PROFILE = "TrigReason, the pair's profile"
PER_STEP = ", per step"


class Row(NamedTuple):
    label: str
    method: str
    thresholds: Thresholds
    request_per_step: bool = False
    hiding: Hiding = Hiding()

    def per_step(self) -> Row:
        """The same with one request per step."""
        return self._replace(label=self.label + PER_STEP, request_per_step=True)


class Situation(NamedTuple):
    """Where the models are; ``edge`` is None for an SRM that is spoken to directly."""

    title: str
    rows: Sequence[Row]
    cloud: Network
    edge: Network | None = None


def situations(chosen: Namespace) -> list[Situation]:
    own = profile()
    lrm = Row("LRM only", "lrm", own)
    specreason = Row(SPECREASON, "specreason", own)
    trigreason = Row(PROFILE, "trigreason", own)
    sparing = Row(
        "TrigReason, sparing (n = 1, ρ = 0.8)", "trigreason", replace(own, n=1, rho=0.8)
    )  # the cheapest of a grid on held-out problems that was no less right than SpecReason
    for_bbh = Row("TrigReason, paper for BBH (n = 5)", "trigreason", Thresholds(n=5))
    priming = Row("TrigReason, priming alone (n = 5)", "trigreason", replace(own, n=5, rho=1.0))
    warm, hedge = Hiding(warm_tokens=chosen.warm_tokens), Hiding(hedge=True)
    hidden = [
        trigreason._replace(label=f"{PROFILE}, {name}", hiding=hiding)
        for name, hiding in {
            "warm": warm,
            "hedge": hedge,
            "both": replace(warm, hedge=True),
        }.items()
    ]
    methods = [lrm, specreason.per_step(), specreason]
    for row in (trigreason, sparing, for_bbh, priming):
        methods += [row.per_step(), row]
    paced = replace(CLOUD, token_rate=chosen.lrm_rate)
    edge = Network(token_rate=chosen.srm_rate)
    rates = f"SRM {chosen.srm_rate:g} tokens/s, LRM {chosen.lrm_rate:g}"
    return [
        Situation("as it comes", methods + hidden, CLOUD),
        Situation(
            f"paced ({rates})",
            [lrm, specreason, trigreason.per_step(), trigreason, sparing, *hidden],
            paced,
            edge,
        ),
        Situation(
            f"long prompts ({rates}, reading {chosen.prefill_rate:g})",
            [specreason, trigreason, *hidden],
            replace(paced, prefill_rate=chosen.prefill_rate),
            edge,
        ),
    ]


def comparisons(rows: Sequence[Row]) -> Iterator[Comparison]:
    """What the targets are about, and what hiding brings, as far as the rows are there."""
    labels = {row.label for row in rows}
    ours = [row for row in rows if row.method == "trigreason" and not row.request_per_step]
    for row in ours:
        if row.label + PER_STEP in labels:
            yield Comparison(row.label, row.label + PER_STEP, PER_STEP_SAVINGS)
    for row in ours:
        if row.hiding == Hiding():
            for baseline in (SPECREASON + PER_STEP, SPECREASON):
                if baseline in labels:
                    yield Comparison(row.label, baseline, PAPER_SAVINGS)
    for row in ours:
        if row.hiding != Hiding():
            yield Comparison(row.label, PROFILE, HIDING_SAVINGS)


@asynccontextmanager
async def edge_cloud_pair(cloud: str, edge: str | None) -> AsyncIterator[Pair]:
    """A fresh bundled pair, its LRM and perhaps its SRM behind the proxies at these addresses."""
    pair = await load_pair()
    try:
        _move_behind(pair.lrm, cloud)
        pair.lrm.capabilities = replace(pair.lrm.capabilities, bills_closed_streams=True)
        if edge is not None:
            _move_behind(pair.srm, edge)
        yield replace(pair, prices={Author.LRM: PRICES})
    finally:
        await pair.close()


def _move_behind(engine: Engine, proxy: str) -> None:
    assert isinstance(engine, HttpEngine)
    engine.url = engine.url.replace("http:/", proxy)


async def run(row: Row, problem: Problem, cloud: str, edge: str | None) -> Trace:
    async with edge_cloud_pair(cloud, edge) as pair:
        return await completed(
            reason(
                replace(pair, hiding=row.hiding),
                problem.question,
                row.method,
                thresholds=row.thresholds,
                sampling=Sampling(temperature=0),
                budget=BUDGET,
                request_per_step=row.request_per_step,
            )
        )


async def measure(
    situation: Situation, problems: Sequence[Problem], at_once: int
) -> dict[str, Outcome]:
    """Every row on every problem, ``at_once`` of these runs at a time."""
    rows = situation.rows
    outcomes = {row.label: Outcome() for row in rows}
    turns = iter(
        (rows[(place + number) % len(rows)], problem)
        for number, problem in enumerate(problems)
        for place in range(len(rows))
    )
    with ExitStack() as stack:
        cloud = stack.enter_context(proxied(situation.cloud))
        edge = stack.enter_context(proxied(situation.edge)) if situation.edge else None
        progress = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
        task = progress.add_task(situation.title, total=len(rows) * len(problems))

        async def lane() -> None:
            for row, problem in turns:
                outcomes[row.label].runs.append((problem, await run(row, problem, cloud, edge)))
                progress.advance(task)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(at_once):
                lanes.create_task(lane())
    return outcomes


def main() -> None:
    arguments = parser(__doc__, items=2)
    arguments.add_argument("--at-once", type=int, default=8, help="runs side by side")
    arguments.add_argument("--srm-rate", type=float, default=60.0, help="tokens/s, where paced")
    arguments.add_argument("--lrm-rate", type=float, default=60.0, help="tokens/s, where paced")
    arguments.add_argument("--prefill-rate", type=float, default=300.0, help="uncached tokens/s")
    arguments.add_argument("--warm-tokens", type=int, default=32, help="of thinking between reads")
    chosen = arguments.parse_args()
    problems, source = chosen_problems(chosen)
    console = Console(width=None if Console().is_terminal else 180)
    console.print(
        f"{machine()}\n{source}, greedy, {chosen.at_once} runs at once\n", highlight=False
    )
    for situation in situations(chosen):
        outcomes = asyncio.run(measure(situation, problems, chosen.at_once))
        fixed = situation.cloud.round_trip + situation.cloud.first_token
        console.print(
            figures(situation.title, fixed, outcomes),
            savings(situation.title, comparisons(situation.rows), outcomes),
        )


if __name__ == "__main__":
    main()
