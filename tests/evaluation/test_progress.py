"""Counting how far a comparison has come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.budget import Budget
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.progress import ComparisonProgress, Standing
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Message, Prices, StepRecord, Stretch, Thresholds, Trace
from trigreason.reasoning.records import Purpose
from trigreason.reasoning.steps import StepEnd


def a_run(
    *,
    srm: int = 0,
    lrm: int = 0,
    seconds: float = 1.0,
    right: bool | None = None,
    usd: bool = False,
) -> Run:
    """A run with so many tokens of thinking by each author."""
    trace = Trace("trigreason", Thresholds(), (Message("user", "?"),), {}, seconds=seconds)
    for author, tokens in ((Author.SRM, srm), (Author.LRM, lrm)):
        if tokens:
            trace.stretches.append(
                Stretch(author, Purpose.WRITE, prompt_tokens=0, completion_tokens=tokens)
            )
            trace.steps.append(
                StepRecord(author, "…", tokens, StepEnd.BLANK_LINE, len(trace.stretches) - 1)
            )
        if usd:
            trace.prices[author] = Prices(0.0, 1e6)
    return Run(trace=trace, right=right)


def test_how_an_arm_stands() -> None:
    standing = Standing(10)
    assert (standing.accuracy, standing.smt, standing.tokens_per_second) == (None, None, None)
    standing.add(a_run(srm=30, lrm=10, seconds=2, right=True, usd=True), kept=True)
    standing.add(a_run(srm=10, lrm=30, seconds=6, right=False))
    standing.add(a_run(seconds=0))
    standing.failed += 1
    assert (standing.done, standing.news, standing.left) == (3, 2, 6)
    assert standing.accuracy == 0.5, "what nobody scored counts for nothing"
    assert standing.smt == pytest.approx((0.75 + 0.25) / 2)
    assert standing.tokens_per_second == 80 / 8
    assert standing.usd == pytest.approx(40)
    assert standing.news_seconds == 6


def progress(*standings: Standing) -> ComparisonProgress:
    arms = (Arm(budget=Budget(thinking_tokens=1 + index)) for index in range(len(standings)))
    return ComparisonProgress(dict(zip(arms, standings, strict=True)))


def test_the_time_that_is_left_counts_slow_arms_for_more() -> None:
    fast, slow = Standing(10), Standing(10)
    for _ in range(5):
        fast.add(a_run(seconds=1))
        slow.add(a_run(seconds=3))
    both = progress(fast, slow)
    assert (both.planned, both.done, both.left) == (20, 10, 10)
    # 20 seconds of work took 10, so two runs went on side by side
    assert both.seconds_left(10) == pytest.approx((5 * 1 + 5 * 3) / 2)
    assert progress(Standing(3)).seconds_left(10) is None
    assert both.seconds_left(0) is None


def test_an_arm_without_a_run_yet_is_taken_for_the_mean() -> None:
    begun, waiting = Standing(2), Standing(4)
    begun.add(a_run(seconds=2))
    assert progress(begun, waiting).seconds_left(2) == pytest.approx(2 * 1 + 2 * 4)


def test_runs_that_were_there_say_nothing_of_the_time() -> None:
    standing = Standing(3)
    standing.add(a_run(seconds=100), kept=True)
    assert progress(standing).seconds_left(5) is None
    standing.add(a_run(seconds=1))
    assert progress(standing).seconds_left(1) == pytest.approx(1)


@given(
    st.lists(st.tuples(st.floats(0.01, 50), st.integers(1, 20)), min_size=1, max_size=4),
    st.floats(0.1, 1000),
)
def test_nothing_is_left_exactly_when_all_is_done(
    arms: list[tuple[float, int]], elapsed: float
) -> None:
    standings = [Standing(count) for _, count in arms]
    for index in range(max(count for _, count in arms)):
        for standing, (seconds, count) in zip(standings, arms, strict=True):
            if index < count:
                standing.add(a_run(seconds=seconds))
        left = progress(*standings).seconds_left(elapsed)
        assert left is not None
        assert (left > 0) is any(standing.left for standing in standings)


def test_the_cost_is_that_of_the_runs_whose_cost_is_known() -> None:
    free, paid = Standing(1), Standing(1)
    free.add(a_run(srm=5))
    assert progress(free).usd is None
    paid.add(a_run(srm=5, usd=True))
    assert progress(free, paid).usd == pytest.approx(5)
