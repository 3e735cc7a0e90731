"""What is seen in steps and trajectories, and what the study makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.studies.recordings import LRM, TEXTS, run, step
from trigreason.bundled import problems
from trigreason.bundled.families import FAMILIES
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Alternative, Author, Message, Token
from trigreason.reasoning.top_logprobs import TopLogprobs
from trigreason.studies.signal_study import Level, study_signals
from trigreason.studies.signals import (
    labelled_steps,
    observed_steps,
    observed_trajectories,
    scored_trajectories,
    seen_steps,
)

SURE, UNSURE = (-0.01,) * 4, (-0.9, -0.01)


def asked(recorded: Run, question: str) -> Run:
    return replace(recorded, trace=replace(recorded.trace, messages=(Message("user", question),)))


def test_what_is_seen_in_steps() -> None:
    wait, _, plain, again, sums, _, blank, _ = (step(text, SURE) for text in TEXTS)
    first, second, third = seen_steps(run([wait, plain, blank, again]))
    assert (first.hesitates, first.hesitates_next, first.index) == (True, False, 0)
    assert (third.repeats, third.hesitates_next, third.index) == (True, None, 3)
    assert second.ratio(1.05) == 1
    assert second.ratio(1.0) == 0
    repeated = seen_steps(run([sums, sums, step(author=LRM)]))
    assert [each.repeats for each in repeated] == [False, True]


def test_a_ratio_is_eq_4() -> None:
    (seen,) = seen_steps(run([step(logprobs=(-0.0487, -0.0488, None, -3.0))]))
    assert seen.ratio(1.05) == pytest.approx(1 / 3)
    (unknown,) = seen_steps(run([step(logprobs=(None, None))]))
    assert unknown.ratio(1.05) is None


def test_only_solo_runs_of_known_outcome_are_trajectories() -> None:
    own, mixed = [step()], [step(), step(author=LRM)]
    runs = [
        run(own, right=True),
        run(mixed, right=True),
        run(own),
        run([*own, step()], right=False),
    ]
    seen = [(each, seen_steps(each)) for each in runs]
    assert [(wrong, len(steps)) for _, wrong, steps in scored_trajectories(seen)] == [
        (False, 1),
        (True, 2),
    ]
    assert list(labelled_steps(seen)) == []
    observed = observed_trajectories(seen, [1.05])
    by_key = {signal.key: values for signal, values in observed.signals.items()}
    assert by_key["steps"] == [1, 2]
    assert by_key["mean_ratio@1.05"] == [0.5, 0.5]
    assert by_key["min_logprob"] == [-0.5, -0.5]


def test_entropy_and_margin_are_signals_where_alternatives_are_known() -> None:
    def token(*shares: float) -> Token:
        return Token("", top=tuple(Alternative("", math.log(each)) for each in shares))

    top = TopLogprobs.of([token(0.5, 0.5), token(0.9, 0.1)])
    known, unknown = run([replace(step(), top=top), step()], right=True), run([step()], right=False)
    seen = [(each, seen_steps(each)) for each in (known, unknown)]
    signals = {s.key: values for s, values in observed_trajectories(seen, [1.05]).signals.items()}
    assert signals["first_entropy"] == [pytest.approx(math.log(2), abs=1e-3), None]
    assert signals["mean_margin"] == [pytest.approx(0.4, abs=1e-3), None]
    without = observed_trajectories(seen[1:], [1.05]).signals
    assert "first_entropy" not in {signal.key for signal in without}


def test_a_run_into_which_the_lrm_merely_did_not_come_is_none_of_the_srm_s() -> None:
    own = run([step()], right=True)
    picked = replace(own, trace=replace(own.trace, method="trigreason"))
    seen = [(each, seen_steps(each)) for each in (own, picked)]
    assert len(list(scored_trajectories(seen))) == 1


def scored(wrong_is_sure: Callable[[bool], bool], count: int = 40) -> list[Run]:
    """Runs of one step, half of them wrong; sure or unsure by whether they are."""
    return [
        asked(
            run([step("So it goes.", SURE if wrong_is_sure(wrong) else UNSURE)], right=not wrong),
            f"Question {number}?",
        )
        for number in range(count)
        for wrong in [number % 2 == 0]
    ]


def trajectories(runs: list[Run]) -> Level:
    level = study_signals(runs).trajectories
    assert level is not None
    return level


def test_overconfidence_that_marks_errors_is_found_as_such() -> None:
    ratio = trajectories(scored(lambda wrong: wrong)).ratio(1.05).auc
    assert ratio is not None
    assert (ratio.value, ratio.high_marks_errors) == (1, True)


def test_and_so_is_the_opposite() -> None:
    level = trajectories(scored(lambda wrong: not wrong))
    ratio = level.ratio(1.05).auc
    assert ratio is not None
    assert (ratio.value, ratio.high_marks_errors) == (0, False)
    over, under = (each.rates for each in level.marks[:2])
    assert over.marked is not None
    assert under.marked is not None
    assert (over.share.value, over.marked.value) == (0.5, 0)
    assert (under.share.value, under.marked.value) == (0.5, 1)


def test_and_no_difference_at_all() -> None:
    ratio = trajectories(scored(lambda _: True)).ratio(1.05).auc
    assert ratio is not None
    assert (ratio.value, ratio.high_marks_errors) == (0.5, None)


def test_labelled_steps_of_the_bundled_families() -> None:
    runs = []
    for family, question, _ in problems()[:30]:
        chain = FAMILIES[family].solve(question).steps
        steps = [step(chain[0], SURE), step(chain[1], SURE), step(f"Not {chain[2]}", UNSURE)]
        runs.append(asked(run(steps), question))
    seen = [(each, seen_steps(each)) for each in runs]
    observed = observed_steps(seen, [1.05])
    assert observed.wrong == [False, False, True] * 30
    found = study_signals(runs)
    assert found.trajectories is None
    assert found.unscored == 30
    assert found.steps is not None
    assert (found.steps.count, found.steps.wrong, found.steps.questions) == (90, 30, 30)
    ratio = found.steps.ratio(1.05).auc
    assert ratio is not None
    assert ratio.value == 0


def test_the_runs_own_thresholds_come_first() -> None:
    runs = scored(lambda wrong: wrong)
    for each in runs:
        each.trace.thresholds = replace(each.trace.thresholds, tau=1.3, rho=0.92)
    found = study_signals(runs)
    assert found.tau == 1.3
    assert found.trajectories is not None
    rules = [each.rule.key for each in found.trajectories.marks]
    assert rules[:4] == ["over@0.85", "under@0.85", "over@0.92", "under@0.92"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda runs: [], "no recorded run"),
        (lambda runs: [replace(each, right=None) for each in runs], "nothing tells right from"),
        (lambda runs: [*runs, _by_another(runs[0])], "several SRMs"),
        (lambda runs: [*runs, _at_another_scale(runs[0])], "several logprob scales"),
    ],
)
def test_what_cannot_be_studied_is_said(
    change: Callable[[list[Run]], list[Run]], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        study_signals(change(scored(lambda wrong: wrong)))


def test_thresholds_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="rho"):
        study_signals(scored(lambda wrong: wrong), rhos=[1.5])
    with pytest.raises(ValueError, match="tau"):
        study_signals(scored(lambda wrong: wrong), taus=[1.05, 0.5])


def _by_another(recorded: Run) -> Run:
    return replace(recorded, trace=replace(recorded.trace, models={Author.SRM: "another"}))


def _at_another_scale(recorded: Run) -> Run:
    return replace(recorded, trace=replace(recorded.trace, logprob_scale="sampling"))
