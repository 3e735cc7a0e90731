"""The available judges: the pairs' LRMs, and further engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from trigreason.configuration import PlannedEngine, PlannedPair
from trigreason.evaluation.lanes import opened_lanes
from trigreason.paper.reproduction import Reproduction
from trigreason.reasoning import Author
from trigreason.studies.judging import Judgements, Trajectory, judge_all


@dataclass(frozen=True, slots=True)
class _Seat:
    """The pair and the role of a judge's model."""

    plan: PlannedPair
    author: Author


class Judges:
    """Opens a judge's model when it is needed, and stores its scores in the results' folder."""

    def __init__(self, options: Reproduction, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._connections = options.connections
        self._kept = Judgements(options.out / "judged.jsonl")
        self._seats: dict[str, _Seat] = {}
        self._lrms: dict[str, str] = {}
        for pair in options.pairs:
            self._lrms[pair.name] = self._seat(pair, Author.LRM)
        for engine in options.judges:
            self._seat(_alone(options.pairs[0], engine), Author.LRM)
        if len(self._seats) == 1:
            self._seat(options.pairs[0], Author.SRM)

    def judges(self) -> list[str]:
        """The pairs' LRMs, then the further engines; for a single pair alone, its SRM as well."""
        return list(self._seats)

    def lrm(self, pair: str) -> str:
        """The LRM of the pair of this name."""
        return self._lrms[pair]

    def scores(self, judge: str, trajectories: Sequence[Trajectory]) -> list[list[float | None]]:
        """The score of each step of each trajectory; None if the judge wrote no digit.

        Raises:
            EngineError: the judge cannot be reached, or failed after all retries.
        """
        seat = self._seats[judge]
        steps = sum(len(trajectory.steps) for trajectory in trajectories)
        count = "1 trajectory" if len(trajectories) == 1 else f"{len(trajectories):,} trajectories"
        self._tell(f"{judge} scores {steps:,} steps of {count}")

        async def ask() -> list[list[float | None]]:
            async with opened_lanes(seat.plan, self._connections) as lanes:
                return await judge_all(lanes, trajectories, self._kept, seat.author)

        return asyncio.run(ask())

    def _seat(self, plan: PlannedPair, author: Author) -> str:
        """Add a judge and return its name; the same engine with the same prompt is one judge."""
        name = f"{plan.name} {author.upper()}" if plan.is_bundled else plan.engines[author].name
        seat = self._seats.setdefault(name, _Seat(plan, author))
        if seat.plan.settings.judge != plan.settings.judge:
            name = f"{name} ({plan.name})"
            self._seats[name] = _Seat(plan, author)
        return name


def _alone(pair: PlannedPair, engine: PlannedEngine) -> PlannedPair:
    """A pair of one engine in both roles, with the judge's prompt of ``pair``."""
    return replace(pair, name=engine.name, engines=dict.fromkeys(Author, engine))
