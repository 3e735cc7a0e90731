"""Traces: their arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.reasoning.traces import (
    ASKED,
    LRM,
    OFFLOAD,
    PRIMING,
    RUN,
    SRM,
    TRACES,
    drafted,
    often,
    trace_of,
    wrote,
)
from trigreason.reasoning import (
    Author,
    Handover,
    Prices,
    Purpose,
    ScorerLog,
    StepRecord,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
)


@pytest.mark.parametrize(
    ("steps", "smt"),
    [
        ((), None),
        ((wrote(SRM, 0),), None),
        ((drafted(5),), None),
        ((wrote(SRM, 5),), 1.0),
        ((wrote(LRM, 5),), 0.0),
        ((wrote(SRM, 1), wrote(LRM, 3)), 0.25),
        (RUN, 0.5),  # the draft is not in it
    ],
)
def test_smt(steps: tuple[StepRecord, ...], smt: float | None) -> None:
    assert trace_of(*steps).smt == smt


def test_thinking_is_what_stands() -> None:
    trace = trace_of(*RUN)
    assert trace.thinking == "lrm.\n\nsrm.\n\nlrm.\n\nsrm.\n\n"
    assert (trace.thinking_tokens, len(trace.standing), len(trace.drafts)) == (100, 4, 1)


@pytest.mark.parametrize(
    ("steps", "handovers"),
    [
        ((), []),
        ((wrote(SRM), wrote(SRM)), []),
        ((wrote(LRM), wrote(LRM)), []),  # the LRM alone: nobody handed over
        ((wrote(LRM, 1, PRIMING), wrote(LRM, 1, PRIMING)), [Handover(0, LRM, PRIMING)]),
        ((wrote(SRM), wrote(LRM, 1, OFFLOAD)), [Handover(1, LRM, OFFLOAD)]),
        (
            RUN,
            [
                Handover(0, LRM, PRIMING),
                Handover(1, SRM, None),
                Handover(3, LRM, OFFLOAD),
                Handover(4, SRM, None),
            ],
        ),
    ],
)
def test_handovers(steps: tuple[StepRecord, ...], handovers: list[Handover]) -> None:
    assert trace_of(*steps).handovers == handovers


@pytest.mark.parametrize(
    ("method", "trigger", "steps"),
    [
        ("trigreason", None, None),
        ("trigreason", Trigger.STRATEGIC_PRIMING, 20),
        ("specreason", Trigger.STRATEGIC_PRIMING, 4),
        ("trigreason", Trigger.COGNITIVE_OFFLOAD, 1),
        ("specreason", Trigger.JUDGE_REJECTION, 1),
        ("trigreason", Trigger.INTERVENTION_REQUEST, 3),
        ("trigreason", Trigger.REPETITION, 3),
        ("a package's", Trigger.METHOD, 2),
    ],
)
def test_for_how_many_steps_a_trigger_calls(
    method: str, trigger: Trigger | None, steps: int | None
) -> None:
    thresholds = Thresholds(n=20, m=3, judge_first=4)
    lrm = wrote(LRM, 1, trigger)
    trace = replace(
        trace_of(wrote(SRM), lrm, lrm, wrote(SRM)), method=method, thresholds=thresholds
    )
    assert trace.handed_over(1) == steps


def test_handovers_by_trigger() -> None:
    assert trace_of(*RUN, *RUN[2:]).handovers_by_trigger == {PRIMING: 1, OFFLOAD: 2}


@pytest.mark.parametrize(
    ("prices", "prompt", "cached", "completion", "usd"),
    [
        (Prices(0.56, 1.68), 1_000_000, None, 0, 0.56),
        (Prices(0.56, 1.68), 0, 0, 1_000_000, 1.68),
        (Prices(0.56, 1.68, 0.07), 1_000_000, 500_000, 0, 0.315),
        (Prices(0.56, 1.68), 1_000_000, 500_000, 0, 0.56),  # no cached price known
        (Prices(0.56, 1.68, 0.0), 1_000_000, 1_000_000, 0, 0.0),
        (Prices(0.56, 1.68), None, None, 10, None),
    ],
)
def test_cost(
    prices: Prices, prompt: int | None, cached: int | None, completion: int, usd: float | None
) -> None:
    stretch = Stretch(LRM, Purpose.WRITE, None, prompt, cached, None, completion)
    assert prices.cost(stretch) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("arrived", "told", "paid"), [(5, None, 5), (5, 5, 5), (5, 40, 40), (5, 3, 5)]
)
def test_what_the_server_wrote_behind_a_closed_stream_is_paid_for(
    arrived: int, told: int | None, paid: int
) -> None:
    stretch = replace(ASKED, generated_tokens=told, completion_tokens=arrived)
    assert Prices(0, 1e6).cost(stretch) == paid


@pytest.mark.parametrize(
    ("stretches", "priced", "usd"),
    [
        ((), (), 0),
        ((ASKED,), (LRM,), 15e-6),
        ((ASKED, ASKED), (LRM, SRM), 30e-6),
        ((ASKED, replace(ASKED, author=SRM)), (LRM, SRM), 30e-6),
        ((ASKED, replace(ASKED, author=SRM)), (LRM,), None),
        ((ASKED,), (SRM,), None),
        ((ASKED, replace(ASKED, prompt_tokens=None)), (LRM,), None),
    ],
)
def test_usd_is_known_or_none(
    stretches: tuple[Stretch, ...], priced: tuple[Author, ...], usd: float | None
) -> None:
    trace = trace_of(stretches=stretches, prices={author: Prices(1, 1) for author in priced})
    assert trace.usd == pytest.approx(usd)


def test_what_a_request_costs_that_failed() -> None:
    """Before its first token nothing; behind it nobody knows, unless the server told."""
    failed = Stretch(LRM, Purpose.WRITE, failed="it burns")
    costs = [
        Prices(1, 1).cost(each)
        for each in (failed, replace(failed, completion_tokens=5), replace(failed, failed=None))
    ]
    assert costs[0] == 0
    assert 0 not in costs[1:]


def test_who_finished_the_answer() -> None:
    assert trace_of(answer_by={SRM: 2, LRM: 1}).answer_author is LRM
    assert trace_of().answer_author is None


@pytest.mark.parametrize("in_the_open", [True, False])
def test_what_a_reader_gets(in_the_open: bool) -> None:
    trace = trace_of(*RUN, answer="3", answer_by={SRM: 9}, in_the_open=in_the_open)
    told = (trace.reply, trace.reply_tokens)
    assert told == ((trace.thinking.strip(), 100) if in_the_open else ("3", 9))


def test_use() -> None:
    judged = Stretch(LRM, Purpose.JUDGE, None, 20, 15, 1, 1, 0, 0.1, 0.5)
    written = Stretch(LRM, Purpose.WRITE, OFFLOAD, 30, 25, 60, 60, 10, 0.1, 2.0)
    trace = trace_of(*RUN, stretches=(judged, written), answer_by={SRM: 9})
    large, small = trace.use(LRM), trace.use(SRM)
    assert (large.requests, large.prompt_tokens, large.cached_tokens) == (2, 50, 40)
    assert (large.completion_tokens, large.judge_tokens, large.unused_tokens) == (61, 1, 10)
    assert (large.standing_tokens, large.draft_tokens, large.answer_tokens) == (50, 0, 0)
    assert (large.seconds, large.usd) == (2.5, None)
    assert (small.standing_tokens, small.draft_tokens, small.answer_tokens) == (50, 7, 9)
    assert (small.requests, small.prompt_tokens, small.usd) == (0, 0, None)
    assert replace(trace, prices={SRM: Prices(1, 1)}).use(SRM).usd == 0


def test_tokens_without_probability() -> None:
    assert replace(wrote(SRM), logprobs=(None, -0.1, None)).without_probability == 2


@given(TRACES)
@often
def test_totals_add_up(trace: Trace) -> None:
    uses = [trace.use(author) for author in Author]
    drafts = sum(step.tokens for step in trace.drafts)
    arrived = sum(each.completion_tokens for each in trace.stretches)
    assert sum(use.standing_tokens for use in uses) == trace.thinking_tokens
    assert sum(use.draft_tokens for use in uses) == drafts
    assert sum(use.completion_tokens for use in uses) == arrived
    assert sum(use.requests for use in uses) == len(trace.stretches)
    assert sum(use.answer_tokens for use in uses) == trace.answer_tokens
    assert trace.smt is None or 0 <= trace.smt <= 1
    assert len(trace.standing) + len(trace.drafts) == len(trace.steps)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"seconds": 9.0}, True),
        ({"models": {}}, True),
        ({"stretches": [ASKED]}, True),
        ({"steps": [replace(step, ratio=0.1, logprobs=(-0.1,)) for step in RUN]}, True),
        ({"answer": "2"}, False),
        ({"method": "srm"}, False),
        ({"thresholds": Thresholds(k=1)}, False),
        ({"messages": ()}, False),
        ({"steps": list(RUN[:-1])}, False),
        ({"steps": [replace(step, standing=True) for step in RUN]}, False),
        ({"steps": [replace(step, trigger=None) for step in RUN]}, False),
        ({"steps": [replace(step, score=1.0) for step in RUN]}, False),
        ({"steps": [replace(step, reward=1.0) for step in RUN]}, False),
        ({"scorer": ScorerLog("prm")}, True),
        ({"thresholds": Thresholds(delta=0.5)}, False),
    ],
)
def test_the_fingerprint_tells_thoughts_not_circumstances(
    change: dict[str, Any], same: bool
) -> None:
    trace = trace_of(*RUN)
    assert (replace(trace, **change).fingerprint() == trace.fingerprint()) is same


def test_what_older_versions_did_not_know_leaves_a_fingerprint_as_it_was() -> None:
    assert "delta" not in Thresholds().to_json()
    assert Thresholds(delta=0.5).to_json()["delta"] == 0.5
    assert Thresholds.from_json({"delta": 0.5}) == Thresholds(delta=0.5)
    assert trace_of(*RUN).fingerprint() == "973ffc95fe2a7286"
