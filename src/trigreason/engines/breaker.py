"""A circuit breaker: an engine that keeps failing is left alone for a while.

closed       requests go through; ``failures`` in a row open it
open         requests fail at once, for ``rest_seconds``
half open    one request is let through: its success closes the breaker, its failure opens it
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from time import monotonic


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


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
        self._clock = clock
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._on_trial = False

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

    def lets_through(self) -> bool:
        """Whether a request may be sent now; while half open that is one at a time."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN or self._on_trial:
            return False
        self._on_trial = True
        return True

    def succeeded(self) -> None:
        """A request was answered."""
        self._in_a_row = 0
        self._opened_at = None
        self._on_trial = False

    def failed(self) -> None:
        """A request failed in a way that another one may fail too."""
        self._in_a_row += 1
        if self._on_trial or self._in_a_row >= self.failures:
            self._opened_at = self._clock()
        self._on_trial = False

    def withdrawn(self) -> None:
        """A request ended before it told anything of the engine."""
        self._on_trial = False
