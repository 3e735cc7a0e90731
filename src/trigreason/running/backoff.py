"""How long a run waits for a model that fails, and when it gives up."""

from __future__ import annotations

import asyncio
import random

from trigreason.engines.base import EngineError
from trigreason.failure import FailurePolicy
from trigreason.running.deadline import Deadline


class Backoff:
    """Counts the retries since the last text, and all retries."""

    def __init__(self, policy: FailurePolicy, deadline: Deadline) -> None:
        self._policy = policy
        self._deadline = deadline
        self._in_a_row = 0
        self._in_all = 0

    def rewarded(self) -> None:
        """An attempt brought text that is kept: count retries in a row from 0 again."""
        self._in_a_row = 0

    def is_over(self, error: EngineError) -> bool:
        """Whether to give up after ``error``."""
        retry_after = error.retry_after or 0.0
        too_long = retry_after > self._policy.longest_wait_seconds
        spent = self._in_a_row >= self._policy.retries or self._in_all >= self._policy.most_retries
        return not error.transient or too_long or spent

    async def wait(self, error: EngineError) -> None:
        """Wait before another attempt, at least as long as the server asked for.

        Raises:
            DeadlinePassed: the run's seconds were spent waiting.
        """
        policy = self._policy
        retry_after = error.retry_after or 0.0
        backoff = policy.backoff_seconds * 2**self._in_a_row
        longest = min(backoff, policy.longest_wait_seconds - retry_after)
        self._in_a_row += 1
        self._in_all += 1
        await self._deadline.keep(asyncio.sleep(retry_after + random.uniform(0, longest)))
