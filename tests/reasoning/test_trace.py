"""Traces: their arithmetic, and their way to disk and back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.simulation import THRESHOLDS
from trigreason.reasoning import (
    Author,
    Degraded,
    Handover,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
    load_trace,
    totals,
    trace_from_json,
    trace_to_json,
)

SRM, LRM = Author.SRM, Author.LRM
PRIMING, OFFLOAD = Trigger.STRATEGIC_PRIMING, Trigger.COGNITIVE_OFFLOAD

TEXT = st.sampled_from(["", "a", "é\n\n", "😀", '"\\', "\x00", "\u2028"])
COUNT = st.integers(0, 999)
REAL = st.floats(0, 1e6)
TRIGGER = st.none() | st.sampled_from(Trigger)
AUTHOR = st.sampled_from(Author)
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
    standing=st.booleans(),
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
    degraded=st.none() | st.builds(Degraded, AUTHOR, COUNT, TEXT),
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


# --- Arithmetic -------------------------------------------------------------------------------


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


ASKED = Stretch(LRM, Purpose.WRITE, prompt_tokens=10, completion_tokens=5)


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
    ],
)
def test_the_fingerprint_tells_thoughts_not_circumstances(
    change: dict[str, Any], same: bool
) -> None:
    trace = trace_of(*RUN)
    assert (replace(trace, **change).fingerprint() == trace.fingerprint()) is same


# --- JSON -------------------------------------------------------------------------------------


@given(TRACES)
@often
def test_json_round_trip(trace: Trace) -> None:
    text = json.dumps(trace_to_json(trace))
    read = load_trace(text)
    assert read == trace
    assert read.fingerprint() == trace.fingerprint()
    assert json.dumps(trace_to_json(read)) == text


def test_json_has_every_field_and_the_totals() -> None:
    trace = trace_of(*RUN)
    values = json.loads(json.dumps(trace_to_json(trace)))
    assert {each.name for each in fields(Trace)} < set(values)
    assert values["totals"] == json.loads(json.dumps(totals(trace)))
    assert values["totals"]["handovers"] == {"strategic_priming": 1, "cognitive_offload": 1}
    assert (values["totals"]["smt"], values["totals"]["srm"]["draft_tokens"]) == (0.5, 7)


def test_a_trace_inside_an_answer_is_read() -> None:
    trace = trace_of(*RUN)
    assert trace_from_json({"answer": "2", "trace": trace_to_json(trace)}) == trace


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "no schema"),
        ([], "no schema"),
        (None, "no schema"),
        ("trace", "no schema"),
        ({"trace": {}}, "no schema"),
        ({"schema": 1}, "schema 1, and this version reads 2"),
        ({"schema": 3}, "schema 3, and this version reads 2"),
        ({"schema": 2}, "damaged.*'method'"),
    ],
)
def test_no_trace(values: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        trace_from_json(values)


@pytest.mark.parametrize("text", ["", "{", "not JSON", "\ufeff{}"])
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        load_trace(text)


WRITTEN: dict[str, Any] = json.loads(json.dumps(trace_to_json(trace_of(*RUN, stretches=(ASKED,)))))
DERIVED = {"schema", "fingerprint", "totals"}
ADDED = {"in_the_open": False, "step_break": "blank_line"}
"""Fields that traces of this schema did not have at first, and what their absence means."""


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - DERIVED - set(ADDED)))
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"damaged.*{name}"):
        trace_from_json({key: value for key, value in WRITTEN.items() if key != name})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"models": []}, "items"),
        ({"models": {"xrm": "x"}}, "xrm"),
        ({"prices": {"srm": {}}}, "input"),
        ({"prices": 7}, "items"),
        ({"steps": [{}]}, "author"),
        ({"steps": None}, "NoneType"),
        ({"steps": [WRITTEN["steps"][0] | {"end": "never"}]}, "never"),
        ({"steps": [WRITTEN["steps"][0] | {"mood": 1}]}, "mood"),
        ({"stretches": [WRITTEN["stretches"][0] | {"purpose": "fun"}]}, "fun"),
        ({"stretches": ["x"]}, "indices"),
        ({"stop": "whim"}, "whim"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"thresholds": {"k": 0}}, "k "),
        ({"thresholds": {"q": 0}}, "'q'"),
    ],
)
def test_a_damaged_field_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"damaged.*{complaint}"):
        trace_from_json(WRITTEN | change)


@pytest.mark.parametrize("name", sorted(DERIVED - {"schema"}))
def test_what_follows_is_not_read(name: str) -> None:
    assert trace_from_json(WRITTEN | {name: "nonsense"}) == trace_from_json(WRITTEN)


@pytest.mark.parametrize(("name", "meaning"), ADDED.items())
def test_an_older_trace_lacks_newer_fields(name: str, meaning: object) -> None:
    older = {key: value for key, value in WRITTEN.items() if key != name}
    assert getattr(trace_from_json(older), name) == meaning
