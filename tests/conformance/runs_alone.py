"""Greedy TrigReason over the bundled problems, one at a time, once per server."""

from __future__ import annotations

from tests.conformance.served import GREEDY, RealServer
from trigreason.bundled import Problem, problems
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Trace

COUNT = 40


def some_problems() -> list[Problem]:
    """As many of each family as of every other, as far as that goes."""
    everything = problems()
    return everything[:: len(everything) // COUNT][:COUNT]


async def solved(pair: Pair, problem: Problem) -> Trace:
    """A greedy run with the budgets that a user gets, which are larger than the context."""
    return await completed(reason(pair, problem.question, sampling=GREEDY))


class RunsAlone:
    """Traces by server, in the order of :func:`some_problems`; made when first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, list[Trace]] = {}

    async def on(self, server: RealServer) -> list[Trace]:
        if server.name not in self._known:
            async with server.pair() as pair:
                traces = [await solved(pair, problem) for problem in some_problems()]
            self._known[server.name] = traces
        return self._known[server.name]
