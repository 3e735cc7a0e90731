"""How often a request is tried again: as long as text comes, and never without end."""

from __future__ import annotations

from trigreason.engines.base import EngineUnreachable
from trigreason.failure import FailurePolicy
from trigreason.running.backoff import Backoff
from trigreason.running.deadline import Deadline

BROKEN = EngineUnreachable("it broke", "there", "Look there.")


async def attempts(rewarded: bool, policy: FailurePolicy) -> int:
    backoff = Backoff(policy, Deadline())
    tried = 1
    while not backoff.is_over(BROKEN):
        await backoff.wait(BROKEN)
        tried += 1
        if rewarded:
            backoff.rewarded()
    return tried


async def test_retries_are_bounded_in_a_row_and_in_all() -> None:
    policy = FailurePolicy(retries=2, backoff_seconds=0)
    assert await attempts(False, policy) == 3
    assert await attempts(True, policy) == 9
    never = FailurePolicy(retries=0, backoff_seconds=0)
    assert await attempts(True, never) == 1
