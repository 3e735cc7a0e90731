"""Replay under other thresholds: exactly the method's decisions, and the tokens that follow."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runs import GREEDY
from tests.studies.recordings import LRM, SRM, TEXTS, recorded_runs, run, step, thresholds
from trigreason.budget import Budget
from trigreason.bundled import problems, profile
from trigreason.evaluation.runs import Run
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import (
    Author,
    Decision,
    Direction,
    Features,
    Halt,
    MethodRun,
    Rewrite,
    Step,
    StepEnd,
    Thresholds,
    Trigger,
    Write,
    what_if,
)
from trigreason.reasoning.replay import recorded_features
from trigreason.studies.positions import Position, positions
from trigreason.studies.replaying import recorded_token_ratio, replayed


@dataclass
class Expected:
    """The same by the method itself, one step after the other."""

    steps: int = 0
    kept: int = 0
    srm_tokens: float = 0
    lrm_tokens: float = 0
    draft_tokens: float = 0
    steps_by: Counter[Trigger] = field(default_factory=Counter)
    handovers_by: Counter[Trigger] = field(default_factory=Counter)


def by_the_method(recorded: Run, given: Thresholds, token_ratio: float) -> Expected:
    told = Expected()
    run = MethodRun.of("trigreason", given)
    decision: Decision | Halt = run.open()
    pen: Author | None = None
    owed, cause = 0, None
    for number, place in enumerate(positions(recorded.trace)):
        told.steps += 1
        if isinstance(decision, Write) and decision.trigger:
            owed, cause = decision.steps or 0, decision.trigger
        if owed == 0 and place.srm is not None:
            record = place.srm
            if record.end is StepEnd.CUT_OFF:
                told.srm_tokens += record.tokens
                break
            decision = run.on_step(run.read(recorded_features(record)))
            if not isinstance(decision, Rewrite):
                told.srm_tokens += record.tokens
                pen = SRM
                if isinstance(decision, Halt):
                    break
                continue
            told.draft_tokens += record.tokens
            owed, cause, pen = 1, decision.trigger, SRM
        if owed and cause is not None:
            told.steps_by[cause] += 1
            told.handovers_by[cause] += pen is not LRM
        else:
            told.kept += 1
        pen = LRM
        told.lrm_tokens += _lrm_tokens(place, token_ratio)
        if place.lrm is not None and place.lrm.end is StepEnd.CUT_OFF:
            break
        decision = run.on_step(run.read(_lrm_features(place, number)))
        owed = max(0, owed - 1)
        if isinstance(decision, Halt):
            break
    return told


def _lrm_features(place: Position, number: int) -> Features:
    if place.lrm is not None:
        return recorded_features(place.lrm)
    said = f"Something that nobody has said before, for the time {number}."
    return Features(Step(said, (), author=LRM))


def _lrm_tokens(place: Position, token_ratio: float) -> float:
    if place.lrm is not None:
        return place.lrm.tokens
    assert place.srm is not None
    return place.srm.tokens * token_ratio


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    runs=st.lists(recorded_runs(), min_size=1, max_size=4),
    grid=st.lists(thresholds, min_size=1, max_size=6),
    token_ratio=st.sampled_from([1.0, 0.5, 2.0]),
)
def test_every_decision_is_the_methods(
    runs: list[Run], grid: list[Thresholds], token_ratio: float
) -> None:
    told = replayed(runs, grid, token_ratio=token_ratio)
    for row, given_ in enumerate(grid):
        for column, recorded in enumerate(runs):
            expected = by_the_method(recorded, given_, token_ratio)
            at = row, column
            assert told.steps[at] == expected.steps
            assert told.kept_steps[at] == expected.kept
            assert told.srm_tokens[at] == expected.srm_tokens
            assert told.lrm_tokens[at] == pytest.approx(expected.lrm_tokens)
            assert told.draft_tokens[at] == expected.draft_tokens
            for trigger in told.steps_by:
                assert told.steps_by[trigger][at] == expected.steps_by[trigger]
                assert told.handovers_by[trigger][at] == expected.handovers_by[trigger]


@settings(max_examples=60, deadline=None)
@given(recorded=recorded_runs(srm_only=True), given_=thresholds)
def test_the_offload_alone_fires_where_what_if_says(recorded: Run, given_: Thresholds) -> None:
    """Without priming, requests and repetition every SRM step is judged as it was written."""
    alone = replace(given_, n=0, m=0, repeats=0)
    places = len(positions(recorded.trace))
    asked = [each for each in what_if(recorded.trace, alone) if each.step < places]
    fired = sum(each.now is Trigger.COGNITIVE_OFFLOAD for each in asked)
    assert replayed([recorded], [alone]).steps_by[Trigger.COGNITIVE_OFFLOAD][0, 0] == fired


@pytest.mark.slow
async def test_a_run_under_its_own_thresholds_is_what_it_was(bundled_pair: Pair) -> None:
    """Recorded LRM steps are used as they are, so that nothing is estimated here."""
    grid = [profile(), Thresholds(n=0, rho=0.6, m=2), Thresholds(n=2, k=1)]
    for given_ in grid:
        runs = [await _answered(bundled_pair, question, given_) for question in range(0, 140, 28)]
        told = replayed(runs, [given_], token_ratio=7)
        assert told.kept_steps.sum() == 0
        for column, each in enumerate(runs):
            trace = each.trace
            assert told.srm_tokens[0, column] + told.lrm_tokens[0, column] == trace.thinking_tokens
            assert told.steps[0, column] == len(trace.standing)
            by = {trigger: told.handovers_by[trigger][0, column] for trigger in told.handovers_by}
            assert {key: n for key, n in by.items() if n} == trace.handovers_by_trigger
            assert told.draft_tokens[0, column] == sum(draft.tokens for draft in trace.drafts)
        assert any(each.trace.handovers_by_trigger for each in runs)


async def _answered(pair: Pair, number: int, given_: Thresholds) -> Run:
    budget = Budget(thinking_tokens=900, answer_tokens=64)
    question = problems()[number].question
    running = reason(
        pair, question, "trigreason", thresholds=given_, sampling=GREEDY, budget=budget
    )
    return Run(trace=await completed(running))


def test_known_cases() -> None:
    sure, unsure = (-0.01,) * 4, (-0.9,) * 4
    steps = [step(f"Step number {number} says this.\n\n", sure) for number in range(8)]
    steps += [step(f"Unsure step number {number} here.\n\n", unsure) for number in range(2)]
    plain = Thresholds(n=0, rho=1, m=0, repeats=0)
    grid = [
        plain,
        replace(plain, n=3),
        replace(plain, n=50),
        replace(plain, rho=0.85),
        replace(plain, rho=0.85, direction=Direction.UNDER),
    ]
    told = replayed([run(steps)], grid)
    assert told.smt.tolist() == [1.0, 0.7, 0.0, 0.2, 0.8]
    assert told.steps_by[Trigger.COGNITIVE_OFFLOAD][:, 0].tolist() == [0, 0, 0, 8, 2]
    assert told.handovers[:, 0].tolist() == [0, 1, 1, 8, 2]
    assert told.share(Trigger.STRATEGIC_PRIMING).tolist() == [0, 0.3, 1, 0, 0]
    longer = replayed([run(steps)], grid, token_ratio=1.5)
    assert longer.smt[1] == pytest.approx(7 / (7 + 3 * 1.5))


def test_repetition_brings_the_lrm_only_where_something_else_may() -> None:
    same = [step(TEXTS[4]) for _ in range(3)]
    others = [step(f"Something new is said here, number {number}.\n\n") for number in range(3)]
    idle = Thresholds(n=0, rho=1, m=0, repeats=2)
    told = replayed([run([*same, *others])], [idle, replace(idle, m=1), replace(idle, repeats=0)])
    assert told.steps_by[Trigger.REPETITION][:, 0].tolist() == [0, 1, 0]
    assert told.steps[:, 0].tolist() == [3, 6, 6]


def test_what_cannot_be_replayed_is_said() -> None:
    written_by_lrm = run([step(author=LRM)])
    with pytest.raises(ValueError, match="no recorded run has a step of the SRM"):
        replayed([written_by_lrm], [Thresholds()])
    with pytest.raises(ValueError, match="no setting"):
        replayed([run([step()])], [])
    assert replayed([written_by_lrm, run([step()])], [Thresholds()]).left_out == 1


def test_the_token_ratio_is_per_step() -> None:
    short, long = (-0.1,) * 4, (-0.1,) * 6
    runs = [run([step(logprobs=short)]), run([step(logprobs=long, author=LRM)])]
    assert recorded_token_ratio(runs) == 1.5
    assert recorded_token_ratio(runs[:1]) is None


CALLS = 200_000


def _call_seconds() -> float:
    """CPU seconds of calling a plain function, on this machine as busy as it is now."""

    def plain(step: Step) -> bool:
        return step.is_blank

    step, started = Step("So.\n\n", ()), process_time()
    for _ in range(CALLS):
        plain(step)
    return (process_time() - started) / CALLS


@pytest.mark.slow
def test_replaying_a_step_takes_as_long_as_sixty_function_calls_at_most() -> None:
    """So 1,000 runs of 150 steps under 50 settings take a minute of CPU time at most."""
    rng = random.Random(0)
    grid = [
        Thresholds(n=n, rho=rho, tau=tau)
        for n in (0, 20)
        for rho in (0.75, 0.8, 0.85, 0.9, 0.95)
        for tau in (1.05, 1.1, 1.2, 1.5, 2.0)
    ]
    assert len(grid) == 50
    ratios = []
    for _ in range(3):
        runs = [_long_run(rng) for _ in range(10)]
        before, started = _call_seconds(), process_time()
        replays = replayed(runs, grid)
        seconds = (process_time() - started) / replays.steps.sum()
        ratios.append(seconds / max(before, _call_seconds()))
    assert min(ratios) < 60


def _long_run(rng: random.Random) -> Run:
    """3,000 to 8,000 tokens in 100 to 200 steps."""
    count = rng.randint(100, 200)
    tokens = rng.randint(3000, 8000)
    steps = []
    for _ in range(count):
        logprobs = [-rng.expovariate(4) for _ in range(max(1, tokens // count))]
        words = " ".join(rng.choice(TEXTS[4].split()) for _ in range(len(logprobs) * 3 // 4))
        steps.append(step(f"{words}\n\n", logprobs))
    return run(steps)
