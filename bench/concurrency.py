"""Many problems at once on one real llama.cpp pair: the reasoner against the engines themselves.

    python -m bench.concurrency --levels 1 4 16 64

At each level N the pair has N slots and N lanes take problems from one queue. Three sides do the
same work, taking turns, each on a pair loaded afresh:

    reasoner  TrigReason with the pair's profile, greedy; what it asks of which model is noted,
              and how many tokens of each answer arrived
    engines   the requests noted last, problem by problem in their order, sent through the same
              engines, and each closed behind the token behind which the reasoner closed it.
              Tokens are counted and not looked at, nothing is decided: this is "the engines
              driven directly", and the target is set against it
    foretold  the same with ``max_tokens`` set to what had arrived, so that the server ends each
              request by itself. Nobody who does not know the future can do that: what lies
              between this and "engines" is the price of closing streams, which llama.cpp notices
              a few tokens later

All completion tokens that arrived, divided by the seconds that the whole took, are tokens/s.
"Unused" are tokens that arrived behind a handover; they are counted as work on every side. Models
and clients share this machine's cores: what a client spends on a token, the models lack. A ratio
is one of medians over the rounds; the range in brackets is that of the rounds' own ratios.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple, TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from trigreason.bundled import Problem, load_pair
from trigreason.engines.base import Engine, Request, Sampling, TokenStream
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Trace

GREEDY = Sampling(temperature=0)
TARGET = 0.9

_Item = TypeVar("_Item")


class Asked(NamedTuple):
    """A request, and whose model it was put to."""

    author: Author
    request: Request


class Noted(NamedTuple):
    """A request and how many tokens of its answer arrived."""

    asked: Asked
    tokens: int


Work = list[list[Noted]]
"""The requests of each problem, in their order."""


class Measured(NamedTuple):
    """``unused`` of the ``tokens`` came behind a handover."""

    tokens: int
    seconds: float
    unused: int = 0

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


class NotingEngine(Engine):
    """An engine that keeps in ``asked`` what it is asked; it costs nothing per token."""

    def __init__(self, engine: Engine, author: Author, asked: list[Asked]) -> None:
        self.model = engine.model
        self.capabilities = engine.capabilities
        self._engine = engine
        self._author = author
        self._asked = asked

    def send(self, request: Request) -> AbstractAsyncContextManager[TokenStream]:
        self._asked.append(Asked(self._author, request))
        return self._engine.send(request)


async def by_reasoner(pair: Pair, problems: Sequence[Problem], lanes: int) -> tuple[Measured, Work]:
    """Solve the problems; say how fast, and what was asked for it."""
    traces: list[Trace] = []
    work: Work = []

    async def solve(problem: Problem) -> None:
        asked: list[Asked] = []
        noting = replace(
            pair,
            srm=NotingEngine(pair.srm, Author.SRM, asked),
            lrm=NotingEngine(pair.lrm, Author.LRM, asked),
        )
        trace = await completed(reason(noting, problem.question, sampling=GREEDY, budget=BUDGET))
        traces.append(trace)
        arrived = (each.completion_tokens for each in trace.stretches)
        work.append([Noted(*each) for each in zip(asked, arrived, strict=True)])

    seconds = await timed(problems, solve, lanes)
    stretches = [each for trace in traces for each in trace.stretches]
    tokens = sum(each.completion_tokens for each in stretches)
    return Measured(tokens, seconds, sum(each.unused_tokens for each in stretches)), work


async def by_engines(pair: Pair, work: Work, lanes: int, *, foretold: bool = False) -> Measured:
    """Put the same requests to the same engines and read the tokens."""
    read = 0

    async def repeat(requests: list[Noted]) -> None:
        nonlocal read
        for (author, request), tokens in requests:
            if foretold:
                request = replace(request, max_tokens=max(1, tokens))
            async with pair.engine(author).send(request) as stream:
                left = tokens
                async for arrived in stream:
                    read += len(arrived)
                    left -= len(arrived)
                    if left <= 0 and not foretold:
                        break

    return Measured(seconds=await timed(work, repeat, lanes), tokens=read)


async def timed(
    items: Iterable[_Item], each: Callable[[_Item], Awaitable[None]], lanes: int
) -> float:
    """Seconds until every item is done, ``lanes`` of them at a time."""
    queue = iter(items)

    async def lane() -> None:
        for item in queue:
            await each(item)

    start = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(lanes):
            group.create_task(lane())
    return perf_counter() - start


class Level:
    """The rounds at one number of problems at once."""

    def __init__(self, lanes: int, problems: Sequence[Problem]) -> None:
        self.lanes = lanes
        self.problems = problems
        self.reasoner: list[Measured] = []
        self.engines: list[Measured] = []
        self.foretold: list[Measured] = []
        self._work: Work = []

    async def rounds(self, count: int) -> None:
        """Each side once a round, a different one first; before them the reasoner notes."""
        await self._on_fresh_pair(self._reason)
        self.reasoner.clear()
        sides = (self._reason, self._drive, self._foretell)
        for number in range(count):
            for place in range(len(sides)):
                await self._on_fresh_pair(sides[(number + place) % len(sides)])

    async def _on_fresh_pair(self, side: Callable[[Pair], Awaitable[None]]) -> None:
        pair = await load_pair(slots=self.lanes)
        try:
            await side(pair)
        finally:
            await pair.close()

    async def _reason(self, pair: Pair) -> None:
        measured, self._work = await by_reasoner(pair, self.problems, self.lanes)
        self.reasoner.append(measured)

    async def _drive(self, pair: Pair) -> None:
        self.engines.append(await by_engines(pair, self._work, self.lanes))

    async def _foretell(self, pair: Pair) -> None:
        self.foretold.append(await by_engines(pair, self._work, self.lanes, foretold=True))


def report(levels: Sequence[Level]) -> Table:
    shown = Table(title=f"Tokens/s of the whole; target: {100 * TARGET:.0f} % of the engines'")
    for heading in (
        "at once",
        "problems",
        "tokens",
        "unused, %",
        "reasoner",
        "engines",
        "foretold",
        "of engines, %",
        "met",
        "of foretold, %",
    ):
        shown.add_column(heading, justify="right")
    for level in levels:
        tokens = statistics.fmean(each.tokens for each in level.reasoner)
        unused = statistics.fmean(each.unused for each in level.reasoner)
        own, direct, foretold = map(rate, (level.reasoner, level.engines, level.foretold))
        pairs = zip(level.reasoner, level.engines, strict=True)
        ratios = sorted(ours.rate / theirs.rate for ours, theirs in pairs)
        shown.add_row(
            str(level.lanes),
            str(len(level.problems)),
            f"{tokens:.0f}",
            f"{100 * unused / tokens:.1f}",
            f"{own:.0f}",
            f"{direct:.0f}",
            f"{foretold:.0f}",
            f"{100 * own / direct:.1f} ({100 * ratios[0]:.0f}-{100 * ratios[-1]:.0f})",
            "yes" if own >= TARGET * direct else "no",
            f"{100 * own / foretold:.1f}",
        )
    return shown


def rate(rounds: Sequence[Measured]) -> float:
    return statistics.median(each.rate for each in rounds)


async def measure(levels: Sequence[Level], rounds: int) -> None:
    for level in track(levels, "running", console=Console(stderr=True), transient=True):
        await level.rounds(rounds)


def main() -> None:
    arguments = parser(__doc__, items=20)
    arguments.add_argument(
        "--levels", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64], help="problems at once"
    )
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    pool, source = chosen_problems(chosen)
    random.Random(chosen.seed).shuffle(pool)
    levels = [Level(lanes, pool[: max(14, 2 * lanes)]) for lanes in chosen.levels]
    asyncio.run(measure(levels, chosen.rounds))
    console = Console(width=None if Console().is_terminal else 120)
    console.print(f"{machine()}\nof {source}, greedy, {chosen.rounds} rounds\n", highlight=False)
    console.print(report(levels))


if __name__ == "__main__":
    main()
