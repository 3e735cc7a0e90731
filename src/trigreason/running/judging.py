"""The decision on a finished step, and the judge's score that SpecReason asks for."""

from __future__ import annotations

from trigreason.engines.base import Request
from trigreason.engines.refusals import no_alternatives
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Author,
    Features,
    Halt,
    Judge,
    Purpose,
    Reading,
    Rewrite,
    Step,
    StepCutter,
    StepEnd,
    Stretch,
    Write,
    read_score,
)
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.top_logprobs import NOT_KEPT
from trigreason.running.asking import Asking, Continuation
from trigreason.running.requests import Requests
from trigreason.running.retrying import ModelAway, RetryingStream
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


def is_dropped(cutter: StepCutter, pair: Pair, state: RunState) -> bool:
    """Whether the method throws the unfinished step away, after a glance at its beginning.

    Raises:
        ModelAway: the method needs alternatives, and the SRM's server has not sent any.
    """
    run = state.run
    if cutter.author is Author.LRM or cutter.open_tokens != run.glance:
        return False
    features = features_of(cutter.open_step(StepEnd.OPENING), pair)
    has_sent = features.top or any(step.top for step in state.trace.steps)
    if run.method.needs_alternatives and not has_sent:
        error = no_alternatives(pair.srm.model, method_title(state.trace.method))
        raise ModelAway(cutter.author, error)
    return run.drops(features)


def features_of(step: Step, pair: Pair) -> Features:
    """What a step shows; of the likeliest tokens, only what the trace keeps."""
    return Features(step, None if pair.alternatives_for(step.author) else NOT_KEPT)


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
