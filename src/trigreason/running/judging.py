"""What becomes of a finished step, and the judge's score that SpecReason asks for."""

from __future__ import annotations

from trigreason.engines.base import Prefix
from trigreason.pairs import Pair
from trigreason.reasoning import Halt, Judge, Reading, Rewrite, Step, StepEnd, Write, read_score
from trigreason.running.errands import Errand, Errands, Whence
from trigreason.running.requests import Requests
from trigreason.running.state import RunState
from trigreason.running.turn import Turn, Writing

JUDGE_TOKENS = 3
"""A digit, and the blanks that some models put before it."""


async def decide(
    step: Step,
    reading: Reading,
    pair: Pair,
    state: RunState,
    requests: Requests,
    errands: Errands,
) -> tuple[Write | Rewrite | Halt, float | None]:
    """What the method makes of a step that shows ``reading``, and the score where it wanted one.

    A score that cannot be read is 0, and counted.

    Raises:
        ModelAway: the judge failed for good.
        DeadlinePassed: the run's seconds are spent.
    """
    if step.end is StepEnd.CUT_OFF:
        return Write(step.author), None
    decision = state.run.on_step(reading)
    if not isinstance(decision, Judge):
        return decision, None
    prefix = state.judged_prefix(step, pair.judge)
    score = await ask_for_score(requests, errands.judge(decision.author), prefix, pair)
    if score is None:
        state.trace.unreadable_scores += 1
        score = 0.0
    return state.run.on_score(score), score


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
            for token in tokens:
                turn.use()
                score = read_score(token, pair.judge.scoring)
                if score is not None or token.text.strip():
                    return score
    return None
