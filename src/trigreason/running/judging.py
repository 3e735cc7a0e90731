"""The decision on a finished step, and the judge's score that SpecReason asks for."""

from __future__ import annotations

from trigreason.engines.base import Request
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Author,
    Halt,
    Judge,
    Purpose,
    Reading,
    Rewrite,
    Step,
    StepEnd,
    Stretch,
    Write,
    read_score,
)
from trigreason.running.asking import Asking, Continuation
from trigreason.running.requests import Requests
from trigreason.running.retrying import RetryingStream
from trigreason.running.state import RunState


async def decide(
    step: Step,
    reading: Reading,
    pair: Pair,
    state: RunState,
    requests: Requests,
    asking: Asking,
) -> tuple[Write | Rewrite | Halt, float | None]:
    """The method's decision on a step with this ``reading``, and the score if it asked for one.

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
    score = await ask_for_score(requests, decision.author, asking.judge(prefix))
    if score is None:
        state.trace.unreadable_scores += 1
        score = 0.0
    return state.run.on_score(score), score


async def ask_for_score(requests: Requests, judge: Author, request: Request) -> float | None:
    """The judge's score, 0 to 9; None if its answer does not begin with one.

    Raises:
        ModelAway: the judge failed for good.
        DeadlinePassed: the run's seconds are spent.
    """
    entry = Stretch(judge, Purpose.JUDGE)
    async with RetryingStream(requests, entry, Continuation(lambda: request)) as stream:
        while tokens := await stream.arrival():
            for token in tokens:
                stream.use()
                score = read_score(token, requests.pair.judge.scoring)
                if score is not None or token.text.strip():
                    return score
    return None
