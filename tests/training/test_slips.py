"""Slips stand in the context unlearned, and two hesitating steps mend them."""

import random
import re

import pytest

from training.families import FAMILIES
from training.judging import RIGHT, WRONG, judge_example
from training.slips import AGAIN, Chain, ChainStep, with_slips
from trigreason.bundled.families.chains import Solution, read_state

each_family = pytest.mark.parametrize("name", FAMILIES)
HESITATION = re.compile(r"\b(?:wait|hmm|actually|let me reconsider|maybe)\b", re.IGNORECASE)


def pairs(name: str, count: int) -> list[tuple[Solution, Chain]]:
    rng = random.Random(7)
    family = FAMILIES[name]
    plain = [family.solve(family.generate(rng)) for _ in range(count)]
    return [(solution, with_slips(solution, rng)) for solution in plain]


def hesitates(step: ChainStep) -> bool:
    return HESITATION.search(step.text) is not None


@each_family
def test_every_slip_is_mended_at_once(name: str) -> None:
    for plain, slipped in pairs(name, 200):
        right = plain.steps
        for index, step in enumerate(slipped.steps):
            if step.correct:
                continue
            check, mended = slipped.steps[index + 1 : index + 3]
            assert not step.learned
            assert step.text not in right
            assert hesitates(check)
            assert hesitates(mended)
            assert mended.text.removeprefix(AGAIN) in right


@each_family
def test_a_check_restates_the_last_right_state(name: str) -> None:
    for plain, slipped in pairs(name, 200):
        states = [read_state(step) for step in plain.steps]
        right = {state.state for state in states if state is not None}
        for before, check in zip(slipped.steps, slipped.steps[1:], strict=False):
            restated = read_state(check.text)
            if not before.correct and restated is not None:
                assert restated.state in right


@each_family
def test_the_chain_without_hesitation_is_the_ideal_one(name: str) -> None:
    for plain, slipped in pairs(name, 200):
        kept = [
            step.text.removeprefix(AGAIN)
            for step in slipped.steps
            if step.correct and (step.text.startswith(AGAIN) or not hesitates(step))
        ]
        assert kept == list(plain.steps)
        assert slipped.solution == plain


@pytest.mark.slow
@each_family
def test_about_a_third_of_the_chains_slip_and_a_few_doubt(name: str) -> None:
    made = [slipped for _, slipped in pairs(name, 600)]
    slips = sum(any(not step.correct for step in s.steps) for s in made)
    doubts = sum(any("That holds." in step.text for step in s.steps) for s in made)
    assert 0.2 < slips / len(made) < 0.42
    assert 0.01 < doubts / len(made) < 0.1


@each_family
def test_judged_steps_are_balanced_and_labeled(name: str) -> None:
    rng = random.Random(11)
    digits = []
    for plain, slipped in pairs(name, 300):
        example = judge_example(slipped, rng)
        digits.append(example.digit)
        last = example.steps_so_far[-1].removeprefix(AGAIN)
        assert (example.digit == RIGHT) == (last in plain.steps)
    assert set(digits) == {RIGHT, WRONG}
    assert 0.4 < digits.count(RIGHT) / len(digits) < 0.6
