"""A risk model fitted to runs: what it finds, and that no held-out label has a part in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.studies.recordings import LRM, run, step
from trigreason.bundled import problems
from trigreason.bundled.families import FAMILIES
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Direction, Message, StepRecord, Thresholds
from trigreason.studies.calibration import risk_fitting
from trigreason.studies.calibration.label_free import fit_share
from trigreason.studies.calibration.risk_fitting import FittedRisk, LabelledBy, fit_risk

pytestmark = pytest.mark.slow

SURE, UNSURE = (-0.001,) * 6, (-0.001, -2.5, -1.2, -0.001, -0.9, -0.3)


def scored(
    steps: Sequence[StepRecord], right: bool | None, number: int, question: str | None = None
) -> Run:
    made = run(steps, str(number), right)
    asked = Message("user", question or f"Question {number}?")
    return replace(made, trace=replace(made.trace, messages=(asked,)))


def runs(count: int = 60, *, unsure_is_wrong: bool = True, seed: int = 0) -> list[Run]:
    """Runs of four steps; unsure ones are wrong (or right), with some noise."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        is_wrong = rng.random() < 0.5
        usual = UNSURE if is_wrong is unsure_is_wrong else SURE
        other = SURE if usual is UNSURE else UNSURE
        steps = [
            step(f"Step {at} of the sum.\n\n", usual if rng.random() < 0.8 else other)
            for at in range(4)
        ]
        made.append(scored(steps, not is_wrong, number))
    return made


@cache
def fitted_to(unsure_is_wrong: bool) -> FittedRisk | None:
    """What is fitted to sixty runs; fitting takes half a second."""
    return fit_risk(runs(unsure_is_wrong=unsure_is_wrong), Thresholds())


@pytest.mark.parametrize("unsure_is_wrong", [True, False])
def test_either_direction_is_found(unsure_is_wrong: bool) -> None:
    fitted = fitted_to(unsure_is_wrong)
    assert fitted is not None
    assert fitted.labelled_by is LabelledBy.RUN
    assert (fitted.steps, fitted.questions) == (240, 60)
    risk, ratio = fitted.aucs["risk"], fitted.aucs["ratio"]
    assert risk is not None
    assert ratio is not None
    assert risk.low > 0.7
    assert fitted.marks_errors
    assert (ratio.value < 0.3) is unsure_is_wrong
    assert fitted.loss < fitted.base_loss
    known = {"mean_logprob": -0.8, "min_logprob": -2.5, "ratio": 2 / 6}
    sure = {"mean_logprob": -0.001, "min_logprob": -0.001, "ratio": 1.0}
    assert (fitted.model.risk(known) > fitted.model.risk(sure)) is unsure_is_wrong


def test_noise_is_told_as_noise() -> None:
    shuffled = [replace(each, right=number % 2 == 0) for number, each in enumerate(runs(80))]
    fitted = fit_risk(shuffled, Thresholds())
    assert fitted is not None
    auc = fitted.aucs["risk"]
    assert auc is not None
    assert auc.low <= 0.5
    assert not fitted.marks_errors
    assert fitted.loss > fitted.base_loss - 0.02


def test_a_constant_risk_marks_nothing() -> None:
    """Left-out questions with more errors get a lower intercept, which is no signal."""
    same = [scored([step("The same.\n\n", SURE)], number % 3 == 0, number) for number in range(60)]
    fitted = fit_risk(same, Thresholds())
    assert fitted is not None
    assert fitted.model.curves == ()
    assert fitted.aucs["risk"] is not None
    assert fitted.aucs["risk"].value == 0.5


def test_no_label_of_a_question_has_part_in_its_own_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flipped held-out labels change no held-out risk, and nothing that is chosen by the fit."""
    seen: list[tuple[float, ...]] = []
    honest = risk_fitting._loss

    def spy(
        wrong: Sequence[bool], risks: risk_fitting.Floats, weights: risk_fitting.Floats
    ) -> float:
        seen.append(tuple(risks))
        return honest(wrong, risks, weights)

    monkeypatch.setattr(risk_fitting, "_loss", spy)
    known = runs(40)
    fit_risk(known, Thresholds())
    held_out, questions = seen[0], [each.question for each in known for _ in each.trace.steps]
    [(_, first), *_] = risk_fitting._folds(questions, 0)
    of_first = {questions[at] for at in first}
    flipped = [
        replace(each, right=not each.right) if each.question in of_first else each for each in known
    ]
    seen.clear()
    fit_risk(flipped, Thresholds())
    changed = seen[0]
    assert [changed[at] for at in first] == [held_out[at] for at in first]
    assert changed != held_out


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.booleans()), max_size=30),
    st.integers(0, 3),
)
def test_any_few_runs_give_a_model_or_none(drawn: list[tuple[int, bool, bool]], seed: int) -> None:
    """Also where a fold has errors alone, or fewer questions than folds."""
    known = [
        scored([step(logprobs=SURE if sure else UNSURE)], right, number)
        for number, right, sure in drawn
    ]
    fitted = fit_risk(known, Thresholds(), seed)
    kinds = [{number for number, right, _ in drawn if right is kind} for kind in (True, False)]
    assert (fitted is not None) is all(len(questions) >= 5 for questions in kinds)


def test_the_same_runs_give_the_same_model() -> None:
    one, other = (fit_risk(runs(30), Thresholds(), seed=3) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.model == other.model


def checked_runs() -> list[Run]:
    """Runs of bundled problems, every second one with an unsure wrong step; without outcomes."""
    rng = random.Random(5)
    made = []
    family = FAMILIES["navigate"]
    navigate = [problem for problem in problems() if problem.family == "navigate"]
    for number, problem in enumerate(navigate):
        chain = [f"{text}\n\n" for text in family.solve(problem.question).steps]
        steps = [step(text, SURE) for text in chain]
        if number % 2 == 0:
            at = rng.randrange(len(chain))
            steps[at] = step(f"{chain[at].strip()} or so\n\n", UNSURE)
        made.append(scored(steps, None, number, problem.question))
    return made


def test_the_checkers_label_steps() -> None:
    """Right steps up to the first wrong one."""
    made = checked_runs()
    fitted = fit_risk(made, Thresholds())
    assert fitted is not None
    assert fitted.labelled_by is LabelledBy.STEP
    assert fitted.wrong == len(made) // 2
    assert fitted.aucs["risk"] is not None
    assert fitted.aucs["risk"].value > 0.95


@pytest.mark.parametrize(
    "few",
    [
        [],
        [replace(each, right=None) for each in runs()],
        [replace(each, right=True) for each in runs()],
        runs(6),
        [scored([step(author=LRM)], n % 2 == 0, n) for n in range(40)],
        [scored([step(logprobs=(None, None))], n % 2 == 0, n) for n in range(40)],
    ],
    ids=["no runs", "no outcomes", "all right", "few", "not the SRM's", "no probabilities"],
)
def test_without_outcomes_nothing_is_learned(few: list[Run]) -> None:
    assert fit_risk(few, Thresholds()) is None


def test_the_share_follows_from_the_risk() -> None:
    known, fitted = runs(), fitted_to(True)
    assert fitted is not None
    base = Thresholds(risk_model=fitted.model)
    few, many = (fit_share(known, share, base, method="learned") for share in (0.2, 0.6))
    assert few.thresholds.risk > many.thresholds.risk
    assert few.share < 0.35 < many.share
    assert few.thresholds.direction is Direction.OVER
    with pytest.raises(ValueError, match="no risk model"):
        fit_share(known, 0.2, Thresholds(), method="learned")
