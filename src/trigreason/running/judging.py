"""Asking the judge for the score of a step (SpecReason)."""

from __future__ import annotations

from trigreason.engines.base import Prefix
from trigreason.pairs import Pair
from trigreason.reasoning import read_score
from trigreason.running.errands import Errand, Whence
from trigreason.running.requests import Requests
from trigreason.running.turn import Turn, Writing

JUDGE_TOKENS = 3
"""A digit, and the blanks that some models put before it."""


async def ask_for_score(
    requests: Requests, errand: Errand, prefix: Prefix, pair: Pair
) -> float | None:
    """The score, 0 to 9, that the judge gives behind ``prefix``; None where it begins otherwise.

    Raises:
        ModelAway: the judge failed for good.
        DeadlinePassed: the run's seconds are spent.
    """
    writing = Writing(lambda: Whence(prefix, JUDGE_TOKENS))
    async with Turn(requests, errand, writing, pair.failure) as turn:
        while tokens := await turn.arrival():
            turn.use(len(tokens))
            for token in tokens:
                score = read_score(token, pair.judge.scoring)
                if score is not None or token.text.strip():
                    return score
    return None
