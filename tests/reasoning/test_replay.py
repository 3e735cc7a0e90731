"""Replay: a recorded run, decided again without a model, gives the same decisions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.simulation import DRAWS, THRESHOLDS, Draw, drive
from trigreason.reasoning import (
    Author,
    Judge,
    Rewrite,
    StepEnd,
    Thresholds,
    Trace,
    Trigger,
    Write,
    load_trace,
    methods,
    replay,
    trace_to_json,
    what_if,
)

METHOD_NAMES = st.sampled_from(sorted(methods()))
LAST_END = st.sampled_from([StepEnd.BLANK_LINE, StepEnd.END_OF_THINKING, StepEnd.CUT_OFF])
often = settings(max_examples=60, deadline=None)

OFFLOAD, REQUEST = Trigger.COGNITIVE_OFFLOAD, Trigger.INTERVENTION_REQUEST
SURE = Draw("So x = 3.\n\n", (0.0, 0.0, 0.0, 0.0), 3)
PLAIN = Draw("So x = 3.\n\n", (0.0, -1.0), 8)
WAIT = Draw("Wait.\n\n", (0.0, -1.0), 8)
LONG = Draw("The first two numbers add up to three.\n\n", (0.0, -1.0), 8)
EARLY = Thresholds(n=1)


def reread(trace: Trace) -> Trace:
    return load_trace(json.dumps(trace_to_json(trace)))


def verdicts(trace: Trace, thresholds: Thresholds | None = None) -> list[bool | None]:
    return [each.agrees for each in replay(trace, thresholds)]


@given(METHOD_NAMES, THRESHOLDS, DRAWS, LAST_END)
@often
def test_replay_agrees_with_the_record(
    name: str, thresholds: Thresholds, draws: list[Draw], last_end: StepEnd
) -> None:
    trace = reread(drive(name, thresholds, draws, last_end))
    asked = [step for step in trace.steps if step.end is not StepEnd.CUT_OFF]
    expected: list[bool | None] = [True] * (len(asked) + 1)
    if len(asked) == len(trace.steps) and trace.limit is None:
        expected[-1] = None
    assert verdicts(trace) == expected


@given(THRESHOLDS, DRAWS)
@often
def test_what_if_nothing_changed_gives_the_record(
    thresholds: Thresholds, draws: list[Draw]
) -> None:
    trace = reread(drive("trigreason", thresholds, draws))
    firings = [each for each in what_if(trace, thresholds) if each.step + 1 < len(trace.steps)]
    assert [each.then for each in firings] == [each.now for each in firings]
    written_by_srm = [i for i, step in enumerate(trace.steps[:-1]) if step.author is Author.SRM]
    assert [each.step for each in firings] == written_by_srm


@given(METHOD_NAMES, THRESHOLDS, DRAWS)
@often
def test_nothing_fires_when_everything_is_off(
    name: str, thresholds: Thresholds, draws: list[Draw]
) -> None:
    off = replace(thresholds, rho=1, m=0, repeats=0, direction=Thresholds().direction)
    assert not any(each.now for each in what_if(drive(name, thresholds, draws), off))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # The record under n=1: LRM, SRM, SRM draft, LRM, SRM hesitates twice, LRM, SRM.
        ({}, [True, True, True, True, True, True, True, True, None]),
        ({"n": 0}, [False, True, True, True, True, True, True, True, None]),
        ({"n": 2}, [True, False, True, True, True, True, True, True, None]),
        ({"rho": 1}, [True, True, True, False, True, True, True, True, None]),
        ({"tau": 1.0}, [True, True, True, False, True, True, True, True, None]),
        ({"rho": 0.4}, [True, True, False, True, True, False, False, True, False]),
        ({"k": 1}, [True, True, True, True, True, False, True, True, None]),
        ({"k": 3}, [True, True, True, True, True, True, False, True, None]),
        ({"m": 0}, [True, True, True, True, True, True, False, True, None]),
        ({"m": 2}, [True, True, True, True, True, True, True, False, None]),
        ({"expressions": ("so",)}, [True, True, True, True, True, True, False, True, None]),
    ],
)
def test_replay_under_other_thresholds(
    changed: dict[str, float], expected: list[bool | None]
) -> None:
    trace = drive("trigreason", EARLY, [PLAIN, PLAIN, SURE, PLAIN, WAIT, WAIT, PLAIN, PLAIN])
    assert [step.author.value[0] for step in trace.steps] == list("lsslssls")
    assert verdicts(trace, Thresholds.from_json(EARLY.to_json() | changed)) == expected


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({}, [None, OFFLOAD, None, REQUEST, None]),
        ({"rho": 1}, [None, None, None, REQUEST, None]),
        ({"rho": 0.4}, [OFFLOAD, OFFLOAD, OFFLOAD, OFFLOAD, OFFLOAD]),
        ({"rho": 0.4, "direction": "under"}, [None, None, None, REQUEST, None]),
        ({"k": 1}, [None, OFFLOAD, REQUEST, REQUEST, None]),
        ({"k": 3}, [None, OFFLOAD, None, None, None]),
        ({"m": 0}, [None, OFFLOAD, None, None, None]),
        ({"n": 50}, [None, OFFLOAD, None, REQUEST, None]),
    ],
)
def test_what_if(changed: dict[str, float], now: list[Trigger | None]) -> None:
    trace = drive("trigreason", EARLY, [PLAIN, PLAIN, SURE, PLAIN, WAIT, WAIT, PLAIN, PLAIN])
    firings = what_if(trace, Thresholds.from_json(EARLY.to_json() | changed))
    assert [each.step for each in firings] == [1, 2, 4, 5, 7]
    assert [each.then for each in firings] == [None, OFFLOAD, None, REQUEST, None]
    assert [each.now for each in firings] == now


def test_what_if_reads_a_specreason_trace() -> None:
    trace = drive("specreason", Thresholds(), [SURE, PLAIN, PLAIN])
    firings = what_if(trace, Thresholds())
    assert [(each.step, each.then, each.now) for each in firings] == [
        (0, Trigger.JUDGE_REJECTION, OFFLOAD),
        (2, None, None),
    ]


@pytest.mark.parametrize(
    ("method", "fired"), [("trigreason", OFFLOAD), ("specreason", Trigger.JUDGE_REJECTION)]
)
def test_a_record_that_ends_with_a_draft(method: str, fired: Trigger) -> None:
    trace = drive(method, Thresholds(n=0), [PLAIN._replace(score=9), SURE._replace(score=0)])
    assert [each.then for each in what_if(trace, trace.thresholds)] == [None, fired]


def test_what_if_stops_at_an_unfinished_step() -> None:
    trace = drive("srm", EARLY, [SURE, SURE], StepEnd.CUT_OFF)
    assert [each.step for each in what_if(trace, EARLY)] == [0]


@pytest.mark.parametrize("edit", [{"author": Author.LRM}, {"standing": False}])
def test_an_edited_record_disagrees(edit: dict[str, Author | bool]) -> None:
    trace = drive("trigreason", Thresholds(n=0), [PLAIN, PLAIN, PLAIN])
    trace.steps[1] = replace(trace.steps[1], **edit)  # type: ignore[arg-type]
    assert False in verdicts(trace)


def test_a_trigger_of_another_name_disagrees() -> None:
    trace = drive("trigreason", Thresholds(n=0), [SURE, PLAIN, PLAIN])
    trace.steps[1] = replace(trace.steps[1], trigger=REQUEST)
    assert verdicts(trace) == [True, False, True, None]


def test_a_missing_score_disagrees_unless_the_record_ends_there() -> None:
    trace = drive("specreason", Thresholds(), [PLAIN, PLAIN])
    trace.steps = [replace(step, score=None) for step in trace.steps]
    last = list(replay(trace))
    assert [each.agrees for each in last] == [True, False, None]
    assert last[-1].decision == Judge(Author.LRM)


def test_a_halt_agrees_with_the_end_of_the_record_only() -> None:
    trace = drive("srm", Thresholds(repeats=2), [LONG] * 5)
    assert len(trace.steps) == 3
    assert verdicts(trace) == [True, True, True, True]
    assert verdicts(trace, Thresholds(repeats=1)) == [True, True, False, True]
    assert verdicts(trace, Thresholds(repeats=3)) == [True, True, True, None]


def test_repetition_that_handed_over_is_replayed() -> None:
    trace = drive("trigreason", Thresholds(n=0, m=2), [LONG, LONG, PLAIN, PLAIN, LONG])
    assert [step.author.value[0] for step in trace.steps] == list("sslls")
    assert trace.steps[2].trigger is Trigger.REPETITION
    assert verdicts(trace) == [True, True, True, True, True, None]
    assert verdicts(trace, Thresholds(n=0, m=2, repeats=0))[:3] == [True, True, False]


@pytest.mark.parametrize("changed", [{"n": 3}, {"n": 0}])
def test_what_if_sees_repetition(changed: dict[str, float]) -> None:
    thresholds = Thresholds(n=1, rho=1, m=0)
    trace = drive("trigreason", thresholds, [PLAIN, LONG, LONG, PLAIN, PLAIN])
    firings = what_if(trace, Thresholds.from_json(thresholds.to_json() | changed))
    assert [each.then for each in firings] == [None, Trigger.REPETITION, None]
    now = Trigger.REPETITION if changed["n"] else None
    assert [each.now for each in firings] == [None, now, None]


def test_decisions_are_told() -> None:
    told = [each.decision for each in replay(drive("trigreason", EARLY, [PLAIN, SURE, PLAIN]))]
    assert told == [
        Write(Author.LRM, 1, Trigger.STRATEGIC_PRIMING),
        Write(Author.SRM),
        Rewrite(Author.LRM, OFFLOAD),
        Write(Author.SRM),
    ]
