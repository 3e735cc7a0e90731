"""The judges at hand: the pairs' LRMs, and engines named besides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from trigreason.configuration import PlannedEngine, PlannedPair
from trigreason.evaluation.lanes import opened_lanes
from trigreason.paper.wanted import Wanted
from trigreason.reasoning import Author
from trigreason.studies.judging import Judgements, Trajectory, judge_all


@dataclass(frozen=True, slots=True)
class _Seat:
    """Which model of which pair a judge is."""

    plan: PlannedPair
    author: Author


class Judges:
    """Opens a judge's models when it is asked, and keeps what it said below the results."""

    def __init__(self, wanted: Wanted, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._connections = wanted.connections
        self._kept = Judgements(wanted.out / "judged.jsonl")
        self._seats: dict[str, _Seat] = {}
        self._lrms: dict[str, str] = {}
        for pair in wanted.pairs:
            self._lrms[pair.name] = self._seat(pair, Author.LRM)
        for engine in wanted.judges:
            self._seat(_alone(wanted.pairs[0], engine), Author.LRM)
        if len(self._seats) == 1:
            self._seat(wanted.pairs[0], Author.SRM)

    def judges(self) -> list[str]:
        """The LRMs of all pairs, then the engines named; of one pair alone, its SRM as well."""
        return list(self._seats)

    def lrm(self, pair: str) -> str:
        """The LRM of the pair of this name."""
        return self._lrms[pair]

    def scores(self, judge: str, trajectories: Sequence[Trajectory]) -> list[list[float | None]]:
        """The score of each step of each trajectory; None for a step whose score is no digit.

        Raises:
            EngineError: the judge cannot be reached, or failed for good.
        """
        seat = self._seats[judge]
        steps = sum(len(each.steps) for each in trajectories)
        trajectory = (
            "1 trajectory" if len(trajectories) == 1 else f"{len(trajectories):,} trajectories"
        )
        self._tell(f"{judge} scores {steps:,} steps of {trajectory}")

        async def ask() -> list[list[float | None]]:
            async with opened_lanes(seat.plan, self._connections) as lanes:
                return await judge_all(lanes, trajectories, self._kept, seat.author)

        return asyncio.run(ask())

    def _seat(self, plan: PlannedPair, author: Author) -> str:
        """The judge's name; one engine under one prompt is one judge, whatever pair it is in."""
        name = f"{plan.name} {author.upper()}" if plan.is_bundled else plan.engines[author].name
        seat = self._seats.setdefault(name, _Seat(plan, author))
        if seat.plan.settings.judge != plan.settings.judge:
            name = f"{name} ({plan.name})"
            self._seats[name] = _Seat(plan, author)
        return name


def _alone(pair: PlannedPair, engine: PlannedEngine) -> PlannedPair:
    """An engine on both seats of a pair, in the words of ``pair``'s judge."""
    return replace(pair, name=engine.name, engines=dict.fromkeys(Author, engine))
