"""A circuit breaker: an engine that keeps failing is left alone for a while.

    closed       requests go through; ``failures`` in a row open it
    open         requests fail at once, for ``rest_seconds``
    half open    one request is let through: an answer closes the breaker, a failure opens it

Requests that ran at the same time and failed together count as one failure: they tell the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Leave to send one request; ``began`` is when it was given, by the breaker's clock."""

    began: float


class Breaker:
    """Counts one engine's failures, over all runs that use it. ``clock`` gives seconds."""

    def __init__(
        self,
        *,
        failures: int = 5,
        rest_seconds: float = 30.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if failures < 1:
            raise ValueError(f"a breaker needs 1 failure or more to open, not {failures}")
        if not rest_seconds > 0:
            raise ValueError(f"a breaker rests for more than 0 seconds, not {rest_seconds}")
        self.failures = failures
        self.rest_seconds = rest_seconds
        self.last_failure: str | None = None
        self._clock = clock
        self._in_a_row = 0
        self._failed_at = -1.0
        self._opened_at: float | None = None
        self._trial: Pass | None = None

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.seconds_left else BreakerState.HALF_OPEN

    @property
    def seconds_left(self) -> float:
        """Until a request is let through again; 0 where one is now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.rest_seconds - self._clock())

    def enter(self) -> Pass | None:
        """Leave for a request, or None; while half open one has it at a time."""
        if self.state is BreakerState.OPEN or self._trial is not None:
            return None
        leave = Pass(self._clock())
        if self.state is BreakerState.HALF_OPEN:
            self._trial = leave
        return leave

    def answered(self) -> None:
        """The engine says something, if only that it refuses."""
        self._in_a_row = 0
        self._opened_at = None
        self._trial = None

    def failed(self, leave: Pass, what: str) -> None:
        """A request failed in a way in which another one may fail too."""
        if self._trial is None and leave.began < self._failed_at:
            return
        if self._trial is not None and leave is not self._trial:
            return
        self.last_failure = what
        self._failed_at = self._clock()
        self._in_a_row += 1
        if leave is self._trial or self._in_a_row >= self.failures:
            self._opened_at = self._failed_at
        self._trial = None

    def left(self, leave: Pass) -> None:
        """A request ended before it told anything of the engine."""
        if leave is self._trial:
            self._trial = None
