"""Traces for tests: out of a hat, and made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.reasoning.simulation import THRESHOLDS
from trigreason.reasoning import (
    Alternative,
    Author,
    Degraded,
    Message,
    Prices,
    Purpose,
    RewardRequest,
    ScorerLog,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Thresholds,
    Token,
    Trace,
    Trigger,
)
from trigreason.reasoning.top_logprobs import TopLogprobs

SRM, LRM = Author.SRM, Author.LRM
PRIMING, OFFLOAD = Trigger.STRATEGIC_PRIMING, Trigger.COGNITIVE_OFFLOAD

TEXT = st.sampled_from(["", "a", "é\n\n", "😀", '"\\', "\x00", "\u2028"])
COUNT = st.integers(0, 999)
REAL = st.floats(0, 1e6)
TRIGGER = st.none() | st.sampled_from(Trigger)
AUTHOR = st.sampled_from(Author)


def top_logprobs(positions: list[list[float]]) -> TopLogprobs:
    return TopLogprobs.of(
        Token("", top=tuple(Alternative("", each) for each in position)) for position in positions
    )


STEPS = st.builds(
    StepRecord,
    author=AUTHOR,
    text=TEXT,
    tokens=COUNT,
    end=st.sampled_from(StepEnd),
    stretch=COUNT,
    trigger=TRIGGER,
    logprobs=st.lists(st.none() | st.floats(-50, 0), max_size=3).map(tuple),
    ratio=st.none() | st.floats(0, 1),
    hesitations=st.lists(TEXT, max_size=2).map(tuple),
    score=st.none() | st.floats(0, 9),
    reward=st.none() | st.floats(0, 1),
    standing=st.booleans(),
    top=st.lists(st.lists(st.floats(-9, 0), max_size=3), max_size=3).map(top_logprobs),
)
STRETCHES = st.builds(
    Stretch,
    author=AUTHOR,
    purpose=st.sampled_from(Purpose),
    trigger=TRIGGER,
    prompt_tokens=st.none() | COUNT,
    cached_tokens=st.none() | COUNT,
    generated_tokens=st.none() | COUNT,
    completion_tokens=COUNT,
    unused_tokens=COUNT,
    first_token_seconds=st.none() | REAL,
    seconds=REAL,
    failed=st.none() | TEXT,
)
SCORERS = st.builds(
    ScorerLog,
    model=st.none() | TEXT,
    price=st.none() | REAL,
    requests=st.lists(
        st.builds(RewardRequest, COUNT, st.none() | COUNT, REAL, REAL, st.none() | TEXT), max_size=3
    ),
)
TRACES = st.builds(
    Trace,
    method=TEXT,
    thresholds=THRESHOLDS,
    messages=st.lists(st.builds(Message, TEXT, TEXT), max_size=2).map(tuple),
    models=st.dictionaries(AUTHOR, TEXT),
    sampling=st.dictionaries(TEXT, st.none() | REAL | COUNT | TEXT, max_size=2),
    logprob_scale=TEXT,
    prices=st.dictionaries(AUTHOR, st.builds(Prices, REAL, REAL, st.none() | REAL)),
    steps=st.lists(STEPS, max_size=3),
    stretches=st.lists(STRETCHES, max_size=3),
    answer=TEXT,
    answer_by=st.dictionaries(AUTHOR, COUNT),
    degraded=st.none() | st.builds(Degraded, st.none() | AUTHOR, COUNT, TEXT),
    scorer=st.none() | SCORERS,
    stop=st.none() | st.sampled_from(StopReason),
    limit=st.none() | TEXT,
    unreadable_scores=COUNT,
    seconds=REAL,
)
often = settings(max_examples=30, deadline=None)


def trace_of(*steps: StepRecord, stretches: tuple[Stretch, ...] = (), **more: Any) -> Trace:
    return Trace(
        method="trigreason",
        thresholds=Thresholds(),
        messages=(Message("user", "1+1?"),),
        models={SRM: "small", LRM: "large"},
        steps=list(steps),
        stretches=list(stretches),
        **more,
    )


def wrote(author: Author, tokens: int = 1, trigger: Trigger | None = None) -> StepRecord:
    return StepRecord(author, f"{author}.\n\n", tokens, StepEnd.BLANK_LINE, 0, trigger)


def drafted(tokens: int = 1) -> StepRecord:
    return replace(wrote(SRM, tokens), standing=False)


RUN = (wrote(LRM, 30, PRIMING), wrote(SRM, 50), drafted(7), wrote(LRM, 20, OFFLOAD), wrote(SRM, 0))
ASKED = Stretch(LRM, Purpose.WRITE, prompt_tokens=10, completion_tokens=5)
