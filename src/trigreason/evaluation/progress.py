"""How far a comparison has come, and how it goes so far: plain counting, without a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.runs import Run


class ComparisonWatch(Protocol):
    """Somebody who is told how a comparison goes, from the thread that it runs in."""

    def begin(self, planned: int, kept: Mapping[Arm, Iterable[Run]]) -> None:
        """Before the first run: how many runs each arm is to have, and those it has already."""

    def opened(self) -> None:
        """The models are there, and the first run begins."""

    def finished(self, arm: Arm, run: Run) -> None:
        """A run has ended and is on disk."""

    def failed(self, arm: Arm, reason: str) -> None:
        """A run came to nothing; the next call tries it again."""


@dataclass(slots=True)
class Standing:
    """How one arm stands. Seconds are those of the runs themselves, tokens their final thinking.

    ``news`` counts the runs of this session, which took ``news_seconds``; the others were there.
    """

    planned: int
    done: int = 0
    failed: int = 0
    news: int = 0
    news_seconds: float = 0.0
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = None
    _scored: list[bool] = field(default_factory=list)
    _smt: list[float] = field(default_factory=list)

    def add(self, run: Run, *, kept: bool = False) -> None:
        trace = run.trace
        self.done += 1
        self.seconds += trace.seconds
        self.tokens += trace.thinking_tokens + trace.answer_tokens
        if not kept:
            self.news += 1
            self.news_seconds += trace.seconds
        if trace.usd is not None and trace.prices:
            self.usd = (self.usd or 0.0) + trace.usd
        if run.right is not None:
            self._scored.append(run.right)
        if trace.smt is not None:
            self._smt.append(trace.smt)

    @property
    def accuracy(self) -> float | None:
        """Share of right answers among the scored ones (0 to 1)."""
        return sum(self._scored) / len(self._scored) if self._scored else None

    @property
    def smt(self) -> float | None:
        """Mean over runs (0 to 1)."""
        return sum(self._smt) / len(self._smt) if self._smt else None

    @property
    def tokens_per_second(self) -> float | None:
        """Thinking that stands and answers, per second of a run."""
        return self.tokens / self.seconds if self.seconds else None

    @property
    def left(self) -> int:
        """Runs that are still to come."""
        return self.planned - self.done - self.failed


@dataclass(slots=True)
class ComparisonProgress:
    """How all arms stand."""

    arms: dict[Arm, Standing]

    @property
    def planned(self) -> int:
        return sum(each.planned for each in self.arms.values())

    @property
    def done(self) -> int:
        return sum(each.done for each in self.arms.values())

    @property
    def failed(self) -> int:
        return sum(each.failed for each in self.arms.values())

    @property
    def left(self) -> int:
        """Runs that are still to come."""
        return sum(each.left for each in self.arms.values())

    @property
    def usd(self) -> float | None:
        """Of the runs whose cost is known; None where no cost is."""
        known = [each.usd for each in self.arms.values() if each.usd is not None]
        return sum(known) if known else None

    def seconds_left(self, elapsed: float) -> float | None:
        """Seconds until the end, ``elapsed`` seconds after the beginning; None while unknown.

        Runs go on side by side, as many as there have been so far, and each arm's take as long
        as they have taken, so that an arm of slow runs counts for more.
        """
        worked = sum(each.news_seconds for each in self.arms.values())
        if not worked or not elapsed:
            return None
        mean = worked / sum(each.news for each in self.arms.values())
        ahead = sum(
            each.left * (each.news_seconds / each.news if each.news else mean)
            for each in self.arms.values()
        )
        return ahead / (worked / elapsed)
