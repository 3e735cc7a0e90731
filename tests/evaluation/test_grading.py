"""Grades against labels given by hand, and what holds for any text."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.evaluation.labelled.integers import INTEGERS
from tests.evaluation.labelled.letters import ABCD, LETTERS
from tests.evaluation.labelled.literals import LITERALS
from tests.evaluation.labelled.written_choices import WRITTEN_LETTERS, WRITTEN_WORDS
from tests.evaluation.labelled.written_numbers import WRITTEN_NUMBERS
from trigreason.evaluation.grading import AnswerKind, grade

INTEGER, LETTER, WORD = AnswerKind.INTEGER, AnswerKind.LETTER, AnswerKind.WORD
BRACKETS, WORD_LIST, TEXT = AnswerKind.BRACKETS, AnswerKind.WORD_LIST, AnswerKind.TEXT
Case = tuple[AnswerKind, str | None, str, tuple[str, ...], bool]

CASES: list[Case] = [
    *(
        (INTEGER, text, target, (), right)
        for rows in (*INTEGERS.values(), *WRITTEN_NUMBERS.values())
        for text, target, right in rows
    ),
    *(
        (LETTER, text, target, letters, right)
        for rows in (*LETTERS.values(), *WRITTEN_LETTERS.values())
        for text, target, letters, right in rows
    ),
    *(
        (kind, text, target, (), right)
        for rows in (*LITERALS.values(), *WRITTEN_WORDS.values())
        for kind, text, target, right in rows
    ),
]


def test_grades_agree_with_a_person() -> None:
    wrong = []
    for kind, text, target, letters, right in CASES:
        graded = grade(kind, text, target, letters)
        if graded.right is not right:
            wrong.append((kind, text, target, letters, graded))
    assert wrong == []


def test_there_are_enough_cases_of_both_outcomes() -> None:
    outcomes = [right for *_, right in CASES]
    assert len(set(CASES)) == len(CASES) >= 550
    assert outcomes.count(True) >= 200
    assert outcomes.count(False) >= 200


@pytest.mark.parametrize(
    ("kind", "text", "letters", "given"),
    [
        (INTEGER, r"\boxed{025}", (), "25"),
        (INTEGER, r"\boxed{-1{,}024.0 \text{ cm}}", (), "-1024"),
        (INTEGER, r"\boxed{\frac{1}{2}}", (), r"\frac{1}{2}"),
        (INTEGER, r"\boxed{\text{no idea}}", (), "no idea"),
        (INTEGER, "no idea", (), None),
        (INTEGER, r"\boxed{}", (), None),
        (LETTER, r"\boxed{\text{(b)}}", ABCD, "B"),
        (LETTER, r"\boxed{E}", ABCD, "E"),
        (LETTER, "(c) more", ("a", "b", "c"), "c"),
        (WORD, r"\boxed{\text{Invalid}.}", (), "invalid"),
        (BRACKETS, r"\boxed{ ) } > }", (), ")}>"),
        (WORD_LIST, r"\boxed{b, A}", (), "b a"),
        (TEXT, r"\boxed{\text{Monsters, Inc.}}", (), "monsters, inc"),
    ],
)
def test_what_an_answer_was_taken_to_be(
    kind: AnswerKind, text: str, letters: tuple[str, ...], given: str | None
) -> None:
    target = {INTEGER: "0", LETTER: "a", WORD: "valid", BRACKETS: "]"}.get(kind, "x")
    assert grade(kind, text, target, letters).given == given


@pytest.mark.parametrize(
    ("kind", "target", "letters"),
    [
        (INTEGER, "1/2", ()),
        (LETTER, "(E)", ABCD),
        (LETTER, "(A)", ()),
        (WORD, "maybe", ()),
        (BRACKETS, "none", ()),
        (TEXT, "", ()),
    ],
)
def test_a_target_of_another_kind_is_refused(
    kind: AnswerKind, target: str, letters: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="is no"):
        grade(kind, "an answer", target, letters)


TARGETS = {
    INTEGER: "25",
    LETTER: "(B)",
    WORD: "valid",
    BRACKETS: "] >",
    WORD_LIST: "a b",
    TEXT: "Monsters, Inc",
}
"""A target of every kind whose grading costs no time (mathematics: ``test_mathematics.py``)."""
PIECES = [
    r"\boxed{",
    r"\text{",
    "The answer is ",
    "Answer:",
    "25",
    "B",
    "(B)",
    "valid",
    "or ",
    "not ",
]
PIECES += "}{\\$]>,=.-/^ \n\u2009"
ANSWERS = st.lists(st.sampled_from(PIECES)).map("".join)


@given(st.sampled_from(list(TARGETS)), st.text() | ANSWERS)
def test_no_text_raises(kind: AnswerKind, text: str) -> None:
    graded = grade(kind, text, TARGETS[kind], ABCD)
    assert graded.given is None or graded.given


@given(st.sampled_from(list(TARGETS)), st.text(alphabet=st.characters(exclude_characters="\\")))
def test_the_boxed_target_is_right_whatever_stands_before_it(kind: AnswerKind, text: str) -> None:
    assume(not re.search("(?:not|never|neither)$", text, re.IGNORECASE))  # which deny the box
    answer = rf"{text} \boxed{{{TARGETS[kind]}}}"
    assert grade(kind, answer, TARGETS[kind], ABCD).right


@given(st.integers(), st.integers())
def test_integers_are_compared_as_integers(first: int, second: int) -> None:
    assert grade(INTEGER, rf"\boxed{{{first}}}", str(second)).right is (first == second)
    assert grade(INTEGER, rf"\boxed{{{first:,}.0}}", f"{first}").right


def test_an_integer_has_no_bound_and_a_hostile_text_costs_no_time() -> None:
    many = "9" * 10_000
    assert grade(INTEGER, rf"\boxed{{{many}}}", many).right
    for text in (
        "=" * 10_000,
        "25 " + "a" * 10_000 + "!",
        r"\text{" * 3_000,
        "the answer " * 2_000,
    ):
        for kind in TARGETS:
            grade(kind, rf"\boxed{{{text}}}", TARGETS[kind], ABCD)
            grade(kind, f"The answer is {text}", TARGETS[kind], ABCD)
