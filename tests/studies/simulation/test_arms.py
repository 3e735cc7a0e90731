"""Simulated runs put together by arm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.studies.simulation.recordings import LRM, SRM, recording, step
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds, Trace, Trigger
from trigreason.studies.simulation import Deployment, Server
from trigreason.studies.simulation.arms import baselines, quantiles, saved, simulate_arms

APART = Deployment(lrm=Server(round_trip=1))
BOTH_WAYS = [replace(APART, request_per_step=True), APART]

PRIMED = recording(
    "trigreason",
    [step(LRM, 10, trigger=Trigger.STRATEGIC_PRIMING), step(LRM, 10), step(SRM, 20)],
    {SRM: 5},
    Thresholds(n=2),
)
JUDGED = recording("specreason", [step(SRM, 20, score=9), step(SRM, 20, score=9)], {SRM: 5})
ALONE = recording("lrm", [step(LRM, 10), step(LRM, 10)], {LRM: 5})


def runs(trace: Trace, sample: str = "1", times: int = 1) -> list[Run]:
    return [Run(trace=trace, task="bbh", sample=sample)] * times


def test_an_arm_has_its_runs_by_question() -> None:
    (arm,) = simulate_arms([*runs(PRIMED, "1", 2), *runs(PRIMED, "2")], [APART])
    assert arm.seconds == {"bbh/1": [1, 1], "bbh/2": [1]}
    assert arm.waiting == {"bbh/1": [1, 1], "bbh/2": [1]}
    assert arm.lrm_requests == {"bbh/1": [1, 1], "bbh/2": [1]}


def test_other_thresholds_are_another_arm() -> None:
    other = replace(PRIMED, thresholds=Thresholds(n=2, k=3))
    assert len(simulate_arms([*runs(PRIMED), *runs(other)], [APART])) == 2


def test_both_ways_are_side_by_side_but_for_a_model_alone() -> None:
    arms = simulate_arms([*runs(PRIMED), *runs(ALONE)], BOTH_WAYS)
    told = [(each.arm.method, each.arm.request_per_step) for each in arms]
    assert told == [("trigreason", True), ("trigreason", False), ("lrm", False)]
    assert [each.seconds["bbh/1"] for each in arms] == [[2], [1], [2]]


def test_savings_are_told_of_the_lrm_and_of_specreason_both_ways() -> None:
    arms = simulate_arms([*runs(PRIMED), *runs(JUDGED), *runs(ALONE)], BOTH_WAYS)
    told = {
        (each.arm.method, each.arm.request_per_step): [
            (other.arm.method, other.arm.request_per_step) for other in baselines(each, arms)
        ]
        for each in arms
    }
    alone, per_step, stretches = ("lrm", False), ("specreason", True), ("specreason", False)
    assert told == {
        ("trigreason", True): [alone, per_step],
        ("trigreason", False): [alone, stretches, per_step],
        per_step: [alone],
        stretches: [alone, per_step],
        alone: [],
    }


def test_savings_look_at_common_questions_alone() -> None:
    own, other = {"1": [1.0, 3.0], "2": [50.0]}, {"1": [8.0], "3": [9.0]}
    assert saved(own, other) == 0.75
    assert saved(own, {"3": [9.0]}) is None
    assert saved(own, {"1": [0.0]}) is None


def test_quantiles_are_those_of_all_runs() -> None:
    assert quantiles({"1": [1.0, 2.0], "2": [3.0]}) == pytest.approx((2, 2.9))
    assert quantiles({"1": [4.0]}) == (4, 4)


def test_a_run_that_cannot_be_simulated_is_named() -> None:
    with pytest.raises(ValueError, match=r"bbh/1.*lrm: no request of this run"):
        simulate_arms(runs(replace(ALONE, stretches=[])), [APART])
