"""The decision on a finished step, and the rating that it may need.

SpecReason asks for the judge's score, RSD for the scorer's reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trigreason.engines.base import EngineError, Request
from trigreason.engines.refusals import no_alternatives, no_scorer
from trigreason.pairs import Pair
from trigreason.reasoning import (
    Author,
    Features,
    Halt,
    Judge,
    Purpose,
    Reading,
    Reward,
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
from trigreason.running.backoff import Backoff
from trigreason.running.requests import Requests
from trigreason.running.retrying import ModelAway, RetryingStream, ScorerAway
from trigreason.running.state import RunState


class Decided(NamedTuple):
    """A decision on a step, and the rating that it is based on, if the method asked for one."""

    decision: Write | Rewrite | Halt
    score: float | None = None
    reward: float | None = None


async def decide(
    step: Step,
    reading: Reading,
    pair: Pair,
    state: RunState,
    requests: Requests,
    asking: Asking,
) -> Decided:
    """The method's decision on a step with this ``reading``.

    A score that cannot be read is 0, and counted.

    Raises:
        ModelAway: the judge failed for good.
        ScorerAway: the scorer failed for good.
        DeadlinePassed: the run's seconds are spent.
    """
    if step.end is StepEnd.CUT_OFF:
        return Decided(Write(step.author))
    decision = state.run.on_step(reading)
    if isinstance(decision, Reward):
        reward = await ask_for_reward(requests, state.rated_steps(step))
        return Decided(state.run.on_reward(reward), reward=reward)
    if not isinstance(decision, Judge):
        return Decided(decision)
    prefix = state.judged_prefix(step, pair.judge)
    score = await ask_for_score(requests, decision.author, asking.judge(prefix))
    if score is None:
        state.trace.unreadable_scores += 1
        score = 0.0
    return Decided(state.run.on_score(score), score)


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


async def ask_for_reward(requests: Requests, steps: Sequence[str]) -> float:
    """The scorer's reward, 0 to 1, of the last of ``steps``.

    Raises:
        ScorerAway: the scorer failed for good, or there is none.
        DeadlinePassed: the run's seconds are spent.
    """
    scorer, log = requests.pair.scorer, requests.trace.scorer
    if scorer is None or log is None:
        raise ScorerAway(no_scorer(requests.pair.name, method_title(requests.trace.method)))
    backoff = Backoff(requests.pair.failure, requests.deadline)
    while True:
        try:
            return await requests.rate(scorer, log, steps)
        except EngineError as error:
            if backoff.is_over(error):
                raise ScorerAway(error) from error
            await backoff.wait(error)
