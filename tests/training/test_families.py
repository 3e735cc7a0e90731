"""Every family writes the published format, and solves it as the published targets say."""

import os
import random
import re
from pathlib import Path

import pytest

from training.families import FAMILIES
from training.published import digest, hashes, questions
from trigreason.bundled.families.chains import Solution, read_state

DATA = os.environ.get("TRIGREASON_DATA")
needs_data = pytest.mark.skipif(
    DATA is None, reason="TRIGREASON_DATA names no folder with the published bbh/*.json"
)
each_family = pytest.mark.parametrize("name", FAMILIES)


def solved(name: str, count: int, seed: int = 0) -> list[Solution]:
    rng = random.Random(seed)
    family = FAMILIES[name]
    return [family.solve(family.generate(rng)) for _ in range(count)]


def vocabulary(texts: list[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[A-Za-z]+|[^\sA-Za-z\d]", text)}


@needs_data
@each_family
def test_published_targets_are_reproduced(name: str) -> None:
    assert DATA is not None
    solve = FAMILIES[name].solve
    published = questions(Path(DATA), name)
    assert len(published) == 250
    assert [solve(question).target for question, _ in published] == [t for _, t in published]


@needs_data
@each_family
def test_generated_questions_use_every_word_of_the_published_ones(name: str) -> None:
    assert DATA is not None
    published = vocabulary([question for question, _ in questions(Path(DATA), name)])
    assert published <= vocabulary([solution.question for solution in solved(name, 2500)])


@needs_data
def test_the_committed_hashes_are_those_of_the_published_questions() -> None:
    assert DATA is not None
    folder = Path(DATA)
    assert hashes() == {digest(q) for name in FAMILIES for q, _ in questions(folder, name)}


def test_there_is_a_hash_for_each_published_question() -> None:
    assert len(hashes()) == 250 * len(FAMILIES)


@each_family
def test_generation_is_deterministic_and_varied(name: str) -> None:
    first, again, others = (solved(name, 30, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != others


@each_family
def test_chains_have_the_skeleton(name: str) -> None:
    for solution in solved(name, 200):
        assert solution.family == name
        assert 3 <= len(solution.steps) <= 25
        states = [read_state(step) for step in solution.steps]
        numbers = [state.number for state in states if state is not None]
        assert numbers == list(range(len(numbers)))
        assert states[-1] is None, "the verdict states no state"
        assert all(step == step.strip() for step in solution.steps)
        assert not any("\n" in step for step in solution.steps)


@each_family
def test_the_last_step_holds_the_target(name: str) -> None:
    for solution in solved(name, 100):
        verdict = solution.steps[-1]
        option = re.fullmatch(r"\(([A-G])\)", solution.target)
        assert all(word in verdict for word in ([option[1]] if option else solution.target.split()))


@each_family
def test_corrupted_steps_are_other_steps_of_the_same_layout(name: str) -> None:
    rng = random.Random(3)
    changed = 0
    for solution in solved(name, 100):
        for step in solution.steps:
            wrong = FAMILIES[name].corrupt(step, rng)
            if wrong is None:
                continue
            right_state, wrong_state = read_state(step), read_state(wrong)
            assert (right_state is None) == (wrong_state is None)
            if right_state is not None and wrong_state is not None:
                assert right_state.number == wrong_state.number
            changed += wrong != step
    assert changed > 150


@each_family
@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param("", id="empty"),
        pytest.param("What is the capital of France?", id="foreign"),
        pytest.param("{}Why?", id="extended"),
        pytest.param("Why? {}", id="preceded"),
    ],
)
def test_other_formats_are_refused(name: str, spoiled: str) -> None:
    for solution in solved(name, 20):
        with pytest.raises(ValueError, match=r"\w"):
            FAMILIES[name].solve(spoiled.replace("{}", solution.question))


@pytest.mark.parametrize("name", ["boolean_expressions", "multistep_arithmetic_two"])
def test_python_agrees_on_expressions(name: str) -> None:
    for solution in solved(name, 300):
        expression = re.sub(r" (is|=)$", "", solution.question)
        assert solution.target == str(eval(expression))


@pytest.mark.parametrize(
    ("name", "question", "reason"),
    [
        ("boolean_expressions", "True and and False is", "not an expression"),
        ("web_of_lies", "Question: Al lies. Bo says Cy lies. Does Bo tell the truth?", "Cy"),
        (
            "object_counting",
            "I have a cat, and a zeppelin. How many animals do I have?",
            "zeppelin",
        ),
        (
            "dyck_languages",
            "Complete the rest of the sequence, making sure that the parentheses are closed "
            "properly. Input: ( [ )",
            "not well nested",
        ),
    ],
)
def test_unsolvable_questions_say_why(name: str, question: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FAMILIES[name].solve(question)
