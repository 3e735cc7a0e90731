"""Recorded runs for tests, random ones too."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import assume
from hypothesis import strategies as st

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Direction, Message, StepEnd, StepRecord, Thresholds, Trace
from trigreason.studies.positions import positions

SRM, LRM = Author.SRM, Author.LRM

TEXTS = (
    "Wait, that is not what was asked for.\n\n",
    "Maybe the other way round?\n\n",
    "So the second number is 14.\n\n",
    "So  the SECOND number is 14. \n\n",
    "Add 3 and 4, which gives 7.\n\n",
    "So:\n\n",
    " \n\n",
    "and again and again " * 12,
)
"""Steps that hesitate, repeat each other, say little, are blank, go round in circles."""


def step(
    text: str = TEXTS[2],
    logprobs: Sequence[float | None] = (-0.01, -0.5),
    *,
    author: Author = SRM,
    end: StepEnd = StepEnd.BLANK_LINE,
    standing: bool = True,
) -> StepRecord:
    return StepRecord(
        author=author,
        text=text,
        tokens=len(logprobs),
        end=end,
        stretch=0,
        logprobs=tuple(logprobs),
        standing=standing,
    )


def trace(
    steps: Sequence[StepRecord],
    method: str = "srm",
    thresholds: Thresholds | None = None,
    question: str = "Why?",
) -> Trace:
    return Trace(
        method=method,
        thresholds=thresholds or Thresholds(),
        messages=(Message("user", question),),
        models={SRM: "small", LRM: "large"},
        steps=list(steps),
    )


def run(steps: Sequence[StepRecord], sample: str = "1", right: bool | None = None) -> Run:
    return Run(trace=trace(steps), sample=sample, right=right)


LOGPROBS = st.one_of(st.none(), st.sampled_from([0.0, -0.0487, -0.0488, -0.3, -2.0, -800.0]))
"""On both sides of ln 1.05 and far away; None for a sentinel."""

ENDS = st.sampled_from(
    [StepEnd.BLANK_LINE] * 6 + [StepEnd.TOKEN_LIMIT, StepEnd.REPETITION, StepEnd.CUT_OFF]
)


@st.composite
def records(draw: st.DrawFn, author: Author, *, standing: bool = True) -> StepRecord:
    return step(
        draw(st.sampled_from(TEXTS)),
        draw(st.lists(LOGPROBS, min_size=1, max_size=4)),
        author=author,
        end=draw(ENDS),
        standing=standing,
    )


@st.composite
def recorded_runs(draw: st.DrawFn, *, srm_only: bool = False) -> Run:
    """Runs of any method: SRM steps, drafts with the LRM's step after them, LRM steps."""
    steps: list[StepRecord] = []
    kinds = ["srm"] if srm_only else ["srm", "srm", "draft", "draft alone", "lrm"]
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=14)):
        if kind != "lrm":
            steps.append(draw(records(SRM, standing=kind == "srm")))
        if kind in ("draft", "lrm"):
            steps.append(draw(records(LRM)))
    last = draw(st.sampled_from([StepEnd.END_OF_THINKING, StepEnd.BLANK_LINE]))
    steps.append(step("So it is 14 after all, I say.", author=SRM, end=last))
    recorded = Run(trace=trace(steps))
    assume(any(place.srm for place in positions(recorded.trace)))
    return recorded


thresholds = st.builds(
    Thresholds,
    n=st.integers(0, 3),
    tau=st.sampled_from([1.0, 1.05, 1.4]),
    rho=st.sampled_from([0.0, 0.25, 0.5, 0.85, 1.0]),
    direction=st.sampled_from(Direction),
    k=st.integers(1, 3),
    m=st.integers(0, 3),
    repeats=st.integers(0, 3),
    expressions=st.sampled_from([Thresholds().expressions, ("second",)]),
)
