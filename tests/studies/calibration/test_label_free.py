"""ρ and k for a wanted share, from runs that nobody scored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

import pytest

from tests.studies.calibration.formula import FormulaLanes, conditions, questions
from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Alternative,
    Author,
    Direction,
    Message,
    ScorerLog,
    Thresholds,
    Token,
    Trigger,
)
from trigreason.reasoning.top_logprobs import TopLogprobs
from trigreason.studies.calibration.direction import evidence, supported
from trigreason.studies.calibration.label_free import Budgeted, fit_share
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.replaying import replayed

BASE = Thresholds(n=1, m=0)
UNDER = Direction.UNDER


def recorded(count: int, method: str = "srm", seed: int = 0) -> list[Run]:
    """Runs of the formula's pair, one per question, with their outcomes."""
    arm = conditions().arm(Setting(method, Thresholds(n=0, rho=0.5, direction=UNDER)))

    async def answers() -> list[Run]:
        lanes, runs = FormulaLanes(), []
        for question in questions(count):
            trace = await lanes.answer((Message("user", question.prompt),), arm, seed)
            runs.append(Run(trace=trace, right=question.target in trace.answer))
        return runs

    return asyncio.run(answers())


def hesitating(runs: list[Run], every: int) -> list[Run]:
    """The same runs with a hesitation in one step of every few."""
    for run in runs:
        for index in range(0, len(run.trace.steps), every):
            step = run.trace.steps[index]
            run.trace.steps[index] = replace(step, text="Wait, " + step.text)
    return runs


def finished_by_the_lrm(runs: list[Run]) -> list[Run]:
    """The same runs, as if the SRM had stayed away from its last step on."""
    for run in runs:
        run.trace.steps[-1] = replace(run.trace.steps[-1], author=Author.LRM)
    return runs


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("wanted", [0.2, 0.5, 0.8])
def test_the_wanted_share_is_met(direction: Direction, wanted: float) -> None:
    runs = recorded(40)
    found = fit_share(runs, wanted, replace(BASE, direction=direction))
    assert found.is_met
    assert found.low <= found.share <= found.high
    assert found.share == pytest.approx(1 - replayed(runs, [found.thresholds]).smt[0])
    assert found.thresholds.direction is direction
    assert found.steps[Trigger.STRATEGIC_PRIMING] == pytest.approx(0.1)
    assert (found.runs, found.left_out, found.questions) == (40, 0, 40)


def test_a_larger_share_takes_a_rho_that_fires_more_often() -> None:
    runs = recorded(40)
    shares = [0.15, 0.3, 0.6, 0.9]
    found = [fit_share(runs, each, replace(BASE, direction=UNDER)) for each in shares]
    rhos = [each.thresholds.rho for each in found]
    assert rhos == sorted(rhos, key=lambda rho: rho % 1)


def test_the_interval_narrows_with_more_questions() -> None:
    def width(found: Budgeted) -> float:
        return found.high - found.low

    few, many = (fit_share(recorded(count), 0.4, BASE) for count in (10, 160))
    assert width(many) < width(few)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("every", "k", "m"), [(10, 1, 1), (3, 2, 1), (1, 1, 0)], ids=["seldom", "often", "always"]
)
def test_k_leaves_the_offload_its_half(every: int, k: int, m: int) -> None:
    base = Thresholds(n=0, direction=UNDER, repeats=0)
    found = fit_share(hesitating(recorded(20), every), 0.25, base)
    assert found.thresholds.m == m
    if m:
        assert found.thresholds.k == k
    assert found.steps[Trigger.INTERVENTION_REQUEST] <= 0.125 + 0.01


@pytest.mark.parametrize(
    ("runs", "wanted", "base", "told"),
    [
        (recorded(4), 0.0, BASE, "between 0 and 1"),
        (recorded(4), 1.0, BASE, "between 0 and 1"),
        (recorded(4), 0.3, replace(BASE, n=5), r"n = 5 alone gives the LRM 50% .* lower --n"),
        (recorded(4, "lrm"), 0.3, BASE, "no token probabilities|no step of the SRM"),
        ([], 0.3, BASE, "no step of the SRM"),
    ],
)
def test_what_cannot_be_is_refused(
    runs: list[Run], wanted: float, base: Thresholds, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        fit_share(runs, wanted, base)


def test_a_share_that_cannot_be_had_is_not_said_to_be_met() -> None:
    """Every step alike: the offload fires on all of them or on none."""
    runs = recorded(10)
    alike = runs[0].trace.steps[0].logprobs
    for run in runs:
        run.trace.steps[:] = [replace(each, logprobs=alike) for each in run.trace.steps]
    found = fit_share(runs, 0.5, BASE)
    assert not found.is_met
    assert found.share in (pytest.approx(0.1), 1.0)


def guessing(runs: list[Run]) -> list[Run]:
    """The same runs, each step with another entropy of its first token."""
    for number, run in enumerate(runs):
        for index, step in enumerate(run.trace.steps):
            even = Token("", top=(Alternative("", -0.001 * (1 + 97 * (number + index) % 693)),))
            run.trace.steps[index] = replace(step, top=TopLogprobs.of([even]))
    return runs


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [0.2, 0.5])
@pytest.mark.parametrize(
    ("method", "chosen"),
    [
        ("random", "share"),
        ("periodic", "every"),
        ("planning", "n"),
        ("glimprouter", "entropy"),
        ("steer", "confidence"),
    ],
)
def test_every_method_has_its_share(method: str, chosen: str, wanted: float) -> None:
    found = fit_share(guessing(recorded(40)), wanted, BASE, method=method)
    assert found.share == pytest.approx(wanted, abs=0.1)
    changed = {**found.thresholds.to_json(), chosen: None}
    assert changed == {**BASE.to_json(), chosen: None}
    assert getattr(found.thresholds, chosen) != getattr(BASE, chosen)


def test_without_a_wanted_share_the_given_thresholds_are_measured() -> None:
    runs, given = recorded(40), Thresholds(confidence=0.95)
    found = fit_share(runs, None, given, method="steer")
    assert (found.thresholds, found.wanted, found.is_met) == (given, None, True)
    expected = 1 - replayed(runs, [given], method="steer").smt[0]
    assert found.share == pytest.approx(expected)
    assert 0 < found.low < found.share < found.high < 1


def rated(runs: list[Run]) -> list[Run]:
    """The same runs, as if a scorer had rated their SRM steps, each differently."""
    random = Random(5)
    for run in runs:
        run.trace.scorer = ScorerLog("prm")
        run.trace.steps = [replace(step, reward=random.random()) for step in run.trace.steps]
    return runs


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [0.2, 0.5, 0.8])
def test_rsd_has_its_share_by_the_recorded_rewards(wanted: float) -> None:
    runs = rated(recorded(40))
    found = fit_share([*recorded(9), *runs], wanted, BASE, method="rsd")
    assert found.share == pytest.approx(wanted, abs=0.05)
    assert found.thresholds == replace(BASE, delta=found.thresholds.delta)
    assert found.thresholds.delta == pytest.approx(wanted, abs=0.15), "rewards are spread evenly"
    steps = [step for run in runs for step in run.trace.steps]
    below = sum(step.tokens for step in steps if (step.reward or 0) < found.thresholds.delta)
    assert found.share == pytest.approx(below / sum(step.tokens for step in steps))
    assert (found.runs, found.left_out) == (40, 9)


def test_rewards_must_be_recorded() -> None:
    with pytest.raises(ValueError, match="record runs with --method rsd"):
        fit_share(recorded(4), 0.3, BASE, method="rsd")
    runs = rated(recorded(4))
    runs[2].trace.steps[0] = replace(runs[2].trace.steps[0], reward=None)
    with pytest.raises(ValueError, match="has no reward"):
        fit_share(runs, 0.3, BASE, method="rsd")


def test_entropies_must_be_recorded() -> None:
    with pytest.raises(ValueError, match="whose alternatives are above 0"):
        fit_share(recorded(4), 0.3, BASE, method="glimprouter")


def test_runs_of_the_srm_alone_go_before_others() -> None:
    found = fit_share([*recorded(10), *recorded(7, "trigreason")], 0.4, BASE)
    assert (found.runs, found.left_out, found.is_srm_alone) == (10, 7, True)
    found = fit_share(recorded(7, "trigreason"), 0.7, BASE)
    assert (found.runs, found.is_srm_alone) == (7, False)


def test_outcomes_speak_for_a_direction() -> None:
    """In the formula's pair a wrong run has a step of little certainty."""
    runs = recorded(250)
    found = evidence(runs, 1.05, seed=0)
    assert found is not None
    assert found.wrong == sum(not run.right for run in runs)
    assert supported(found) is UNDER
    turned = evidence([replace(run, right=not run.right) for run in runs], 1.05, seed=0)
    assert turned is not None
    assert supported(turned) is Direction.OVER
    assert turned.value == pytest.approx(1 - found.value)


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [replace(run, right=None) for run in recorded(40)],
        [replace(run, right=True) for run in recorded(40)],
        recorded(40, "trigreason"),
        finished_by_the_lrm(recorded(40)),
    ],
    ids=["no runs", "not scored", "all right", "not the SRM's alone", "finished by the LRM"],
)
def test_without_outcomes_there_is_no_evidence(runs: list[Run]) -> None:
    assert evidence(runs, 1.05, seed=0) is None


@pytest.mark.slow
def test_the_interval_covers_the_share_that_follows() -> None:
    """Of many samples of questions: how often the interval has the share of all questions."""
    everything, size, wanted = recorded(1500), 25, 0.4
    found = [
        fit_share(
            everything[begin : begin + size], wanted, replace(BASE, direction=UNDER), seed=begin
        )
        for begin in range(0, len(everything), size)
    ]
    follows = 1 - replayed(everything, [each.thresholds for each in found]).smt
    covered = [each.low <= share <= each.high for each, share in zip(found, follows, strict=True)]
    assert sum(covered) / len(covered) >= 0.88
