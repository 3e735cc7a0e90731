"""How long a run waits for a model that fails, and when it gives up."""

from __future__ import annotations

import asyncio
import random

from trigreason.clock import Clock
from trigreason.engines.base import EngineError
from trigreason.failure import FailurePolicy


class Patience:
    """Counts the attempts in a row that brought nothing."""

    def __init__(self, policy: FailurePolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._in_a_row = 0

    def rewarded(self) -> None:
        """Something arrived: the next failure is a first one."""
        self._in_a_row = 0

    async def wait(self, error: EngineError) -> bool:
        """Wait before another attempt; False, and at once, where there is to be none.

        Raises:
            DeadlinePassed: the run's seconds were spent waiting.
        """
        policy = self._policy
        asked = error.retry_after or 0.0
        if not error.transient or self._in_a_row >= policy.retries:
            return False
        if asked > policy.longest_wait_seconds:
            return False
        longest = min(policy.backoff_seconds * 2**self._in_a_row, policy.longest_wait_seconds)
        self._in_a_row += 1
        await self._clock.in_time(asyncio.sleep(asked + random.uniform(0, longest)))
        return True
