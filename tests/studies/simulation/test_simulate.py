"""Simulated runs: seconds and requests worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.studies.simulation.recordings import (
    LRM,
    SRM,
    recording,
    step,
)
from trigreason.hiding import Hiding
from trigreason.reasoning import (
    Author,
    Degraded,
    Direction,
    Purpose,
    ScorerLog,
    StepBreak,
    StepEnd,
    StepRecord,
    Thresholds,
    Trace,
    Trigger,
)
from trigreason.studies.simulation import Deployment, Server, Simulated, simulate

OFFLOAD, PRIMING = Trigger.COGNITIVE_OFFLOAD, Trigger.STRATEGIC_PRIMING
REJECTION = Trigger.JUDGE_REJECTION
CLOSED = StepEnd.END_OF_THINKING

CLOUD = Server(round_trip=0.1, first_token=0.9, token_rate=10, closing=0.0)
EDGE = Server(token_rate=20, closing=0.0)
APART = Deployment(srm=EDGE, lrm=CLOUD)

PRIMED = recording(
    "trigreason",
    [step(LRM, 10, trigger=PRIMING), step(SRM, 20), step(SRM, 20, end=CLOSED)],
    {SRM: 10},
    Thresholds(n=1),
)
OFFLOADED = recording(
    "trigreason",
    [
        step(SRM, 20),
        step(SRM, 20, standing=False),
        step(LRM, 10, trigger=OFFLOAD),
        step(SRM, 20, end=CLOSED),
    ],
    {SRM: 10},
    Thresholds(n=0),
)
JUDGED = recording(
    "specreason",
    [
        step(SRM, 20, score=9),
        step(SRM, 20, score=2, standing=False),
        step(LRM, 10, trigger=REJECTION),
        step(SRM, 20, score=9, end=CLOSED),
    ],
    {SRM: 10},
)
ALONE = recording("lrm", [step(LRM, 10), step(LRM, 10, end=CLOSED)], {LRM: 5})
IN_THE_OPEN = recording("lrm", [step(LRM, 10), step(LRM, 10, end=StepEnd.END_OF_STREAM)], {LRM: 0})
CUT_SHORT = recording("lrm", [step(LRM, 10, end=StepEnd.CUT_OFF)], {LRM: 5})


def test_no_deployment_says_how_fast_a_scorer_is() -> None:
    rated = replace(JUDGED, scorer=ScorerLog("prm"))
    with pytest.raises(ValueError, match="a scorer rated"):
        simulate(rated, APART)


def last(tokens: int, rate: float) -> float:
    """Seconds from a stream's first token to the last of so many."""
    return (tokens - 1) / rate


def letters(simulated: Simulated) -> str:
    """The requests: who writes, "j" for a score, "a" for an answer."""
    names = {Purpose.JUDGE: "j", Purpose.ANSWER: "a"}
    return "".join(names.get(each.purpose, each.author[0].upper()) for each in simulated.requests)


@pytest.mark.parametrize(
    ("trace", "per_step", "seconds", "requests"),
    [
        (ALONE, False, 1 + last(25, 10), "L"),
        (ALONE, True, 1 + last(10, 10) + 1 + last(15, 10), "LL"),
        (IN_THE_OPEN, False, 1 + last(20, 10), "L"),
        (CUT_SHORT, False, 1 + last(10, 10) + 1 + last(5, 10), "La"),
        (PRIMED, False, 1 + last(10, 10) + last(50, 20), "LS"),
        (PRIMED, True, 1 + last(10, 10) + last(20, 20) + last(30, 20), "LSS"),
        (OFFLOADED, False, last(40, 20) + 1 + last(10, 10) + last(30, 20), "SLS"),
        # a score takes 1 s, in which the SRM writes the whole of the next step
        (
            JUDGED,
            False,
            last(20, 20) + 1 + 1 + 1 + last(10, 10) + last(20, 20) + 1,
            "SjjLSj",
        ),
        (
            JUDGED,
            True,
            2 * (last(20, 20) + 1) + 1 + last(10, 10) + last(20, 20) + 1,
            "SjSjLSj",
        ),
    ],
)
def test_seconds_and_requests_are_those_worked_out_by_hand(
    trace: Trace, per_step: bool, seconds: float, requests: str
) -> None:
    simulated = simulate(trace, replace(APART, request_per_step=per_step))
    assert simulated.seconds == pytest.approx(seconds)
    assert letters(simulated) == requests


def test_the_srm_writes_on_while_it_is_judged_and_what_is_rejected_is_unused() -> None:
    first, second = (each for each in simulate(JUDGED, APART).of(SRM))
    assert first.generated_tokens == 60  # 40 used, and 20 more while the second score was awaited
    assert first.completion_tokens == 40  # nobody reads a stream while a score is awaited
    assert second.generated_tokens == 30  # the answer came in the same stream, and ended it


def test_a_closed_stream_is_billed_for_what_was_written_until_the_server_knew() -> None:
    (written, _) = simulate(PRIMED, replace(APART, lrm=replace(CLOUD, closing=None))).requests
    assert written.completion_tokens == 10
    assert written.generated_tokens == 11


def test_a_server_that_ends_a_single_step_writes_no_more() -> None:
    billing = replace(CLOUD, closing=None, bills_closed_streams=True)
    (written, _) = simulate(PRIMED, replace(APART, lrm=billing)).requests
    assert written.generated_tokens == 10


def test_a_server_ends_no_step_where_each_line_is_one() -> None:
    steps = [
        step(LRM, 10, trigger=PRIMING, end=StepEnd.LINE_END),
        step(SRM, 20, end=StepEnd.LINE_END),
        step(SRM, 9, end=StepEnd.END_OF_STREAM),
    ]
    trace = recording("trigreason", steps, {SRM: 5}, Thresholds(n=1))
    trace.step_break = StepBreak.LINE_END
    billing = replace(APART, lrm=replace(CLOUD, closing=None, bills_closed_streams=True))
    simulated = simulate(trace, billing)
    assert letters(simulated) == "LSa"
    assert [each.generated_tokens for each in simulated.requests] == [11, 29, 5]


def test_a_server_that_ended_the_last_step_is_asked_again_for_the_answer() -> None:
    trace = recording(
        "trigreason",
        [step(SRM, 20, standing=False), step(LRM, 10, trigger=OFFLOAD, end=CLOSED)],
        {LRM: 6},
    )
    billing = replace(APART, lrm=replace(CLOUD, bills_closed_streams=True))
    _, ended, rest = simulate(trace, billing).requests
    assert (ended.completion_tokens, rest.completion_tokens) == (11, 5)
    assert len(simulate(trace, APART).requests) == 2


def test_prompts_grow_with_the_thinking_and_are_found_in_the_cache() -> None:
    _, rewrite, on = simulate(OFFLOADED, APART).requests
    assert (rewrite.prompt_tokens, rewrite.cached_tokens) == (120, 0)
    # the draft reads like the rewrite, so the SRM has read the rewrite as well
    assert (on.prompt_tokens, on.cached_tokens) == (130, 129)


@pytest.mark.parametrize(
    ("server", "cached"),
    [
        (Server(), 149),
        (Server(cache=False), 0),
        (Server(cache_unit=64), 128),
        (Server(cache_unit=256), 0),
    ],
)
def test_the_cache_keeps_whole_units_and_the_last_token_is_always_read(
    server: Server, cached: int
) -> None:
    assert server.cached(200, 150) == cached


def test_reading_what_is_not_cached_takes_time() -> None:
    slow = replace(CLOUD, prefill_rate=50)
    simulated = simulate(OFFLOADED, replace(APART, lrm=slow))
    assert simulated.waiting[LRM] == pytest.approx(1 + 120 / 50)


def test_a_warm_cache_leaves_less_to_read() -> None:
    slow = replace(APART, lrm=replace(CLOUD, prefill_rate=50))
    cold = simulate(OFFLOADED, slow)
    warm = simulate(OFFLOADED, replace(slow, hiding=Hiding(warm_tokens=15)))
    read, rewrite = warm.of(LRM)
    assert (read.purpose, read.prompt_tokens, read.began_seconds) == (Purpose.WARM, 120, 0.95)
    assert rewrite.cached_tokens == 119
    assert warm.waiting[LRM] == pytest.approx(cold.waiting[LRM] - 119 / 50)


def test_nothing_is_warmed_where_the_lrm_comes_next_anyway() -> None:
    steps = [step(SRM, 20), step(LRM, 10, trigger=Trigger.INTERVENTION_REQUEST)]
    trace = recording("trigreason", steps, {LRM: 5}, Thresholds(n=0))
    warm = simulate(trace, replace(APART, hiding=Hiding(warm_tokens=1)))
    assert all(each.purpose is not Purpose.WARM for each in warm.requests)


def test_a_hedge_is_sent_at_the_token_with_which_the_step_would_fire() -> None:
    unsure = (0.0, -3.0, -3.0, *[-3.0] * 17)
    thresholds = Thresholds(n=0, rho=0.4, direction=Direction.UNDER)
    steps = [
        step(SRM, 20, standing=False, logprobs=unsure),
        step(LRM, 10, trigger=OFFLOAD),
        step(SRM, 20, end=CLOSED, logprobs=tuple([0.0] * 20)),
    ]
    trace = recording("trigreason", steps, {SRM: 10}, thresholds)
    hedged = simulate(trace, replace(APART, hiding=Hiding(hedge=True, hedge_tokens=3)))
    (rewrite,) = hedged.of(LRM)
    assert rewrite.began_seconds == pytest.approx(last(3, 20))  # 1 of 3 is below .4
    assert hedged.waiting[LRM] == pytest.approx(1 - last(20, 20) + last(3, 20))
    assert hedged.seconds == pytest.approx(last(3, 20) + 1 + last(10, 10) + last(30, 20))


def test_a_hedge_that_is_not_needed_is_paid_for_up_to_where_it_is_dropped() -> None:
    unsure_at_first = (*[-3.0] * 4, *[0.0] * 56)
    thresholds = Thresholds(n=0, rho=0.4, direction=Direction.UNDER)
    steps = [step(SRM, 60, end=CLOSED, logprobs=unsure_at_first)]
    trace = recording("trigreason", steps, {SRM: 10}, thresholds)
    hedged = simulate(trace, replace(APART, hiding=Hiding(hedge=True, hedge_tokens=4)))
    (dropped,) = hedged.of(LRM)
    assert dropped.purpose is Purpose.HEDGE
    assert dropped.unused_tokens == dropped.completion_tokens == 19  # 2.95 - 0.15 - 1 s at 10/s
    assert hedged.seconds == pytest.approx(last(70, 20))


@pytest.mark.parametrize(
    ("steps", "answer_by", "away", "limit", "requests"),
    [
        # the LRM fails in its first step, and the SRM goes on
        (
            [step(LRM, 10, trigger=PRIMING, end=StepEnd.CUT_OFF), step(SRM, 20, end=CLOSED)],
            {SRM: 5},
            Degraded(LRM, 1, "gone"),
            None,
            "LS",
        ),
        # it is away before its first token
        ([step(SRM, 20, end=CLOSED)], {SRM: 5}, Degraded(LRM, 0, "gone"), None, "S"),
        # the judge is away, and the step stands without a score
        ([step(SRM, 20), step(SRM, 20, end=CLOSED)], {SRM: 5}, Degraded(LRM, 0, "gone"), None, "S"),
        ([step(SRM, 20), step(SRM, 9, end=StepEnd.CUT_OFF)], {}, None, "seconds", "S"),
        ([step(SRM, 20), step(SRM, 9, end=StepEnd.CUT_OFF)], {SRM: 5}, None, "context", "Sa"),
        (
            [step(SRM, 20), step(SRM, 9, end=StepEnd.CUT_OFF)],
            {SRM: 5},
            None,
            "thinking_tokens",
            "Sa",
        ),
        ([step(SRM, 20), step(SRM, 9)], {SRM: 5}, None, "steps", "Sa"),
        ([step(SRM, 20), step(SRM, 9, standing=False)], {}, None, "seconds", "S"),
        ([], {SRM: 5}, None, None, "Sa"),
    ],
)
def test_a_run_ends_as_it_was_recorded(
    steps: list[StepRecord],
    answer_by: dict[Author, int],
    away: Degraded | None,
    limit: str | None,
    requests: str,
) -> None:
    primed = bool(steps) and steps[0].author is LRM
    trace = recording("trigreason", steps, answer_by, Thresholds(n=int(primed)))
    trace.degraded, trace.limit = away, limit
    assert letters(simulate(trace, APART)) == requests


def test_a_run_without_any_prompt_length_cannot_be_simulated() -> None:
    trace = replace(ALONE, stretches=[])
    with pytest.raises(ValueError, match="how long its prompt was"):
        simulate(trace, APART)
