"""A driver without models: steps out of a hat, put to a method and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.reasoning.risks import RISK
from trigreason.reasoning import (
    Author,
    Decision,
    Direction,
    Features,
    Halt,
    Judge,
    Message,
    MethodRun,
    Reward,
    Rewrite,
    Step,
    StepEnd,
    StepRecord,
    Thresholds,
    Token,
    Trace,
    Write,
)


class Draw(NamedTuple):
    """One step out of the hat, whoever is to write it, and what a judge would say of it."""

    text: str
    logprobs: tuple[float | None, ...]
    score: float


TEXTS = st.sampled_from(
    [
        "So x = 3.\n\n",
        "Wait, no.\n\n",
        "Hmm, maybe.\n\n",
        "Perhaps.\n\n",
        "Answer: 3.\n\n",
        "\n",
        "The first two numbers add up to three.\n\n",
        "Wait, the first two numbers add up to four.\n\n",
        "Let me add the numbers again. " * 4 + "\n\n",
    ]
)
LOGPROBS = st.sampled_from([0.0, -0.01, -0.048, -0.05, -0.2, -3.0, None, -0.1 / 3])
DRAWS = st.lists(
    st.builds(
        Draw,
        TEXTS,
        st.lists(LOGPROBS, max_size=8).map(tuple),
        st.sampled_from([0.0, 4.5, 6.9, 7.0, 7.1, 9.0]),
    ),
    max_size=14,
)
THRESHOLDS = st.builds(
    Thresholds,
    n=st.integers(0, 4),
    tau=st.sampled_from([1.0, 1.01, 1.05, 1.3]),
    rho=st.sampled_from([0.0, 0.5, 0.75, 0.85, 1.0]),
    direction=st.sampled_from(Direction),
    k=st.integers(1, 3),
    m=st.integers(0, 3),
    accept=st.sampled_from([0, 5, 7, 9]),
    judge_first=st.integers(0, 2),
    delta=st.sampled_from([0.0, 0.5, 0.7, 1.0]),
    script_stop=st.booleans(),
    repeats=st.integers(0, 3),
    risk=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    risk_model=st.just(RISK),
)


def drive(
    method_name: str,
    thresholds: Thresholds,
    draws: Sequence[Draw],
    last_end: StepEnd = StepEnd.END_OF_THINKING,
) -> Trace:
    """The trace of a run whose n-th step is the n-th draw; the last one ends with ``last_end``.

    A halt ends it sooner, and the trace says so by its limit.
    """
    run = MethodRun.of(method_name, thresholds)
    trace = Trace(
        method=method_name,
        thresholds=thresholds,
        messages=(Message("user", "?"),),
        models={Author.SRM: "small", Author.LRM: "large"},
    )
    decision: Decision | Halt = run.open()
    assert isinstance(decision, Write)
    author, trigger = decision.author, decision.trigger
    for index, draw in enumerate(draws):
        end = last_end if index == len(draws) - 1 else StepEnd.BLANK_LINE
        step = Step(draw.text, tuple(Token("", each) for each in draw.logprobs), end, author)
        reading = run.read(Features(step))
        score = reward = None
        if end is not StepEnd.CUT_OFF:
            decision = run.on_step(reading)
            if isinstance(decision, Judge):
                score = draw.score
                decision = run.on_score(score)
            elif isinstance(decision, Reward):
                reward = draw.score / 9
                decision = run.on_reward(reward)
        trace.steps.append(
            StepRecord(
                author=author,
                text=step.text,
                tokens=len(step.tokens),
                end=end,
                stretch=0,
                trigger=trigger,
                logprobs=draw.logprobs,
                ratio=reading.ratio,
                hesitations=reading.hesitations,
                score=score,
                reward=reward,
                standing=end is StepEnd.CUT_OFF or not isinstance(decision, Rewrite),
            )
        )
        if isinstance(decision, Halt):
            trace.limit = decision.limit
            return trace
        if decision.author is not author:
            author, trigger = decision.author, decision.trigger
    return trace
