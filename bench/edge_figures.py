"""What edge-cloud runs come to: means per problem, and what one row saves of another's."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rich.table import Table

from bench.bundled import share
from trigreason.answers import is_right
from trigreason.bundled import Problem
from trigreason.reasoning import Author, Prices, Purpose, Stretch, Trace

PRICES = Prices(input=0.56, cached_input=0.07, output=1.68)
"""DeepSeek V3.1, USD per million tokens."""

CACHE_UNIT = 64
"""Tokens: DeepSeek's cache keeps prefixes in units of this length, and bills hits in them."""

_WAITED_FOR = (Purpose.WRITE, Purpose.JUDGE, Purpose.ANSWER)


@dataclass
class Outcome:
    """All runs of one row in one situation. Values are means per problem, of the LRM alone."""

    runs: list[tuple[Problem, Trace]] = field(default_factory=list)

    def mean(self, value: Callable[[Trace], float]) -> float:
        return statistics.fmean(value(trace) for _, trace in self.runs)

    def of_requests(self, value: Callable[[Stretch], float]) -> float:
        return self.mean(lambda trace: sum(map(value, asked_of_lrm(trace))))

    @property
    def right(self) -> int:
        return sum(is_right(trace.answer, problem.target) for problem, trace in self.runs)

    @property
    def seconds(self) -> float:
        return self.mean(lambda trace: trace.seconds)

    @property
    def requests(self) -> float:
        return self.of_requests(lambda _: 1)

    @property
    def first_tokens(self) -> float:
        """Seconds from sending to the first token, without requests that nobody waited for."""
        return self.of_requests(
            lambda each: each.first_token_seconds or 0.0 if each.purpose in _WAITED_FOR else 0.0
        )

    @property
    def hit(self) -> float:
        return self.of_requests(lambda each: billed(each).cached_tokens or 0)

    @property
    def miss(self) -> float:
        return self.of_requests(lambda each: each.prompt_tokens or 0) - self.hit

    @property
    def output(self) -> float:
        return self.of_requests(lambda each: each.completion_tokens)

    @property
    def unused(self) -> float:
        """Output that came behind a handover, or for a rewrite that was not needed."""
        return self.of_requests(lambda each: each.unused_tokens)

    @property
    def usd(self) -> float:
        return self.of_requests(lambda each: PRICES.cost(billed(each)) or 0.0)

    @property
    def uncounted(self) -> int:
        """Requests of all runs that no server counted the prompt of."""
        return sum(
            each.prompt_tokens is None for _, trace in self.runs for each in asked_of_lrm(trace)
        )


def billed(stretch: Stretch) -> Stretch:
    """The request with its cached tokens in whole units."""
    return replace(stretch, cached_tokens=(stretch.cached_tokens or 0) // CACHE_UNIT * CACHE_UNIT)


def asked_of_lrm(trace: Trace) -> list[Stretch]:
    return [each for each in trace.stretches if each.author is Author.LRM]


class Saving(NamedTuple):
    """A share of a figure that is to be saved; ``target`` is None where nothing is promised."""

    figure: str
    value: Callable[[Outcome], float]
    target: float | None = None


class Comparison(NamedTuple):
    """A row, and another of whose figures it is to save something."""

    row: str
    against: str
    savings: tuple[Saving, ...]


PER_STEP_SAVINGS = (
    Saving("LRM requests", lambda each: each.requests, 1 - 1 / 3),
    Saving("seconds", lambda each: each.seconds, 0.4),
)
"""Stretches against one request per step: a third of the requests, 40 % less waiting."""

PAPER_SAVINGS = (
    Saving("seconds", lambda each: each.seconds, 0.439),
    Saving("USD", lambda each: each.usd, 0.733),
)
"""TrigReason against SpecReason between edge and cloud (section 4.3 of the paper)."""

HIDING_SAVINGS = (
    Saving("seconds", lambda each: each.seconds),
    Saving("USD", lambda each: each.usd),
)


def figures(title: str, fixed_delay: float, outcomes: Mapping[str, Outcome]) -> Table:
    """One line per row. ``fixed_delay`` is what each LRM request costs at least, in seconds."""
    shown = Table(title=f"Per problem, means: {title}")
    for heading in (
        "",
        "right, % (95 %)",
        "seconds",
        "LRM requests",
        f"x {fixed_delay:.2f} s",
        "to first tokens, s",
        "input hit",
        "input miss",
        "output",
        "unused",
        "USD per 1,000",
        "SMT, %",
    ):
        shown.add_column(heading, justify="right" if heading else "left")
    for label, each in outcomes.items():
        shown.add_row(
            label,
            share(each.right, len(each.runs)),
            f"{each.seconds:.2f}",
            f"{each.requests:.2f}",
            f"{each.requests * fixed_delay:.2f}",
            f"{each.first_tokens:.2f}",
            f"{each.hit:.0f}",
            f"{each.miss:.0f}",
            f"{each.output:.0f}",
            f"{each.unused:.0f}",
            f"{1000 * each.usd:.3f}" + ("*" if each.uncounted else ""),
            f"{100 * each.mean(lambda trace: trace.smt or 0):.1f}",
        )
    if any(each.uncounted for each in outcomes.values()):
        shown.caption = "* without requests that ended before their prompt was counted"
    return shown


def savings(
    title: str, comparisons: Iterable[Comparison], outcomes: Mapping[str, Outcome]
) -> Table:
    """What each row saves of another's figures, and whether that meets the target."""
    shown = Table(title=f"Saved: {title}")
    for heading in ("", "against", "figure", "saved, %", "times less", "target, %", "met"):
        shown.add_column(heading, justify="left" if heading in ("", "against") else "right")
    for row, against, wanted in comparisons:
        for figure, value, target in wanted:
            own, other = value(outcomes[row]), value(outcomes[against])
            saved = 1 - own / other
            shown.add_row(
                row,
                against,
                figure,
                f"{100 * saved:.1f}",
                f"{other / own:.2f}",
                "–" if target is None else f"{100 * target:.1f}",
                "–" if target is None else "yes" if saved >= target else "no",
            )
    return shown
