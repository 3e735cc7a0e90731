"""Recorded runs for simulations: written by hand, or out of a hat with prompts that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.reasoning.simulation import DRAWS, THRESHOLDS, drive
from trigreason.reasoning import (
    Author,
    Message,
    Purpose,
    StepEnd,
    StepRecord,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
    methods,
)

SRM, LRM = Author.SRM, Author.LRM
QUESTION_TOKENS = 100
JUDGE_TOKENS = 24
"""Of the turn that asks for a score."""


def step(
    author: Author,
    tokens: int,
    *,
    end: StepEnd = StepEnd.BLANK_LINE,
    trigger: Trigger | None = None,
    standing: bool = True,
    score: float | None = None,
    text: str = "So it is.\n\n",
    logprobs: tuple[float | None, ...] = (),
) -> StepRecord:
    return StepRecord(
        author=author,
        text=text,
        tokens=tokens,
        end=end,
        stretch=0,
        trigger=trigger,
        standing=standing,
        score=score,
        logprobs=logprobs,
    )


def recording(
    method: str,
    steps: Sequence[StepRecord],
    answer_by: dict[Author, int] | None = None,
    thresholds: Thresholds | None = None,
) -> Trace:
    """A trace of these steps whose only recorded prompt is the question's."""
    first = steps[0].author if steps else SRM
    return Trace(
        method=method,
        thresholds=thresholds or Thresholds(),
        messages=(Message("user", "?"),),
        models={SRM: "small", LRM: "large"},
        steps=list(steps),
        stretches=[
            Stretch(first, Purpose.WRITE, prompt_tokens=QUESTION_TOKENS, completion_tokens=10**6)
        ],
        answer_by=answer_by or {},
    )


def _with_a_token(record: StepRecord) -> StepRecord:
    """A step as a model writes it: no server tells of a step without a token."""
    return record if record.tokens else replace(record, tokens=1, logprobs=(None,))


@st.composite
def recordings(draw: st.DrawFn) -> Trace:
    """Any run that a method can make of steps out of a hat, with an answer."""
    end = draw(st.sampled_from([StepEnd.END_OF_THINKING, StepEnd.BLANK_LINE, StepEnd.CUT_OFF]))
    method = draw(st.sampled_from(sorted(methods())))
    driven = drive(method, draw(THRESHOLDS), draw(DRAWS.filter(bool)), end)
    author = driven.standing[-1].author if driven.standing else SRM
    steps = [_with_a_token(each) for each in driven.steps]
    answer = {} if steps and not steps[-1].standing else {author: draw(st.integers(1, 9))}
    made = recording(method, steps, answer, driven.thresholds)
    made.limit = driven.limit
    return made
