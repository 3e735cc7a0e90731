"""The progress and interim results of a comparison: plain counting, without a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.runs import Run


class ComparisonWatch(Protocol):
    """Receives the events of a comparison, in the thread that runs it."""

    def begin(self, planned: int, kept: Mapping[Arm, Iterable[Run]]) -> None:
        """Before the first run: how many runs each arm needs, and those that it already has."""

    def opened(self) -> None:
        """The models are open, and the first run begins."""

    def finished(self, arm: Arm, run: Run) -> None:
        """A run is finished and on disk."""

    def failed(self, arm: Arm, reason: str) -> None:
        """A run failed; the next comparison tries it again."""


@dataclass(slots=True)
class Standing:
    """One arm's progress: ``seconds`` of its runs, ``tokens`` of final thinking and answers.

    ``news`` counts the runs of this session, which took ``news_seconds``; the others are older.
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
        """SMT, as a mean over runs (0 to 1)."""
        return sum(self._smt) / len(self._smt) if self._smt else None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens of final thinking and answers, per second of a run."""
        return self.tokens / self.seconds if self.seconds else None

    @property
    def left(self) -> int:
        """Runs that are still to come."""
        return self.planned - self.done - self.failed


@dataclass(slots=True)
class ComparisonProgress:
    """The progress of all arms."""

    arms: dict[Arm, Standing]

    @property
    def planned(self) -> int:
        return sum(arm.planned for arm in self.arms.values())

    @property
    def done(self) -> int:
        return sum(arm.done for arm in self.arms.values())

    @property
    def failed(self) -> int:
        return sum(arm.failed for arm in self.arms.values())

    @property
    def left(self) -> int:
        """Runs that are still to come."""
        return sum(arm.left for arm in self.arms.values())

    @property
    def usd(self) -> float | None:
        """The cost of the runs whose cost is known; None if there are none."""
        costs = [arm.usd for arm in self.arms.values() if arm.usd is not None]
        return sum(costs) if costs else None

    def seconds_left(self, elapsed: float) -> float | None:
        """Expected seconds to the end, ``elapsed`` seconds after the start; None while unknown.

        It assumes as many runs at once as so far, and for each arm runs as long as that arm's
        so far, so an arm of slow runs counts for more.
        """
        worked = sum(arm.news_seconds for arm in self.arms.values())
        if not worked or not elapsed:
            return None
        mean = worked / sum(arm.news for arm in self.arms.values())
        ahead = sum(
            arm.left * (arm.news_seconds / arm.news if arm.news else mean)
            for arm in self.arms.values()
        )
        return ahead / (worked / elapsed)
