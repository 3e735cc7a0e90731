"""A circuit breaker: an engine that keeps failing gets no requests for a while.

    closed       requests go through; ``failures`` runs that fail in a row open it
    open         requests fail at once, for ``rest_seconds``
    half open    requests of up to ``TRIALS`` runs go through: an answer to any closes the
                 breaker, and when all of them have failed it opens again

A run counts once, however often it tries: its prompt may be what fails. Requests that ran at the
same time and failed together also count as one failure, since they have the same cause. Any
answer of the engine, to any request, resets the count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

TRIALS = 3


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Allows one request of ``run``; ``began`` is when it was given, by the breaker's clock."""

    began: float
    run: object


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
        self._failed_runs: set[object] = set()
        self._failed_at = -1.0
        self._opened_at: float | None = None
        self._trials: set[Permit] = set()

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.seconds_left else BreakerState.HALF_OPEN

    @property
    def seconds_left(self) -> float:
        """Seconds until a request may go through again; 0 if one may now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.rest_seconds - self._clock())

    def has_tried(self, run: object) -> bool:
        """Whether a run has failed since the engine's last answer."""
        return run in self._failed_runs

    def enter(self, run: object | None = None) -> Permit | None:
        """A permit for a request of ``run`` (None: a run with only this request), or None.

        While half open, at most ``TRIALS`` runs get a permit, each of them once.
        """
        permit = Permit(self._clock(), object() if run is None else run)
        match self.state:
            case BreakerState.OPEN:
                return None
            case BreakerState.HALF_OPEN:
                tried = {trial.run for trial in self._trials} | self._failed_runs
                if permit.run in tried or len(tried) >= self._most_trials:
                    return None
                self._trials.add(permit)
        return permit

    def answered(self) -> None:
        """The engine answered, if only with a refusal."""
        if self._failed_runs or self._opened_at is not None:
            self._failed_runs.clear()
            self._opened_at = None
            self._trials.clear()

    @property
    def _most_trials(self) -> int:
        return min(TRIALS, self.failures)

    def failed(self, permit: Permit, what: str) -> None:
        """A request failed, in a way that other requests may fail too."""
        is_trial = permit in self._trials
        self._trials.discard(permit)
        if not is_trial and (self._opened_at is not None or permit.began < self._failed_at):
            return
        self.last_failure = what
        self._failed_at = self._clock()
        self._failed_runs.add(permit.run)
        if len(self._failed_runs) >= (self._most_trials if is_trial else self.failures):
            self._opened_at = self._failed_at
            self._failed_runs.clear()

    def left(self, permit: Permit) -> None:
        """A request ended without showing whether the engine works."""
        self._trials.discard(permit)
