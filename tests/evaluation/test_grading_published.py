"""All published questions: right forms made of their targets are right, and wrong ones wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from trigreason.evaluation.grading import AnswerKind, grade
from trigreason.evaluation.grading.words import pair_of
from trigreason.evaluation.questions import Question, load_questions

DATA = os.environ.get("TRIGREASON_DATA", "")
pytestmark = pytest.mark.skipif(
    not DATA, reason="TRIGREASON_DATA names no folder with the published files"
)
COUNTS = {"aime24": 30, "aime25": 30, "bbh": 6511, "arc_challenge": 1150, "gsm8k": 1319}
QUICK = 60
"""So many of each task are in the fast test."""

BOXES = (
    r"Thus the answer is $\boxed{{{}}}$.",
    r"\[ \boxed{{\text{{{}}}}} \]",
    r"\boxed{{{}}}" "\n\n" r"(It stands in \boxed{{}}, as asked.)",
)
PLAIN = (
    "<answer>{}</answer>",
    "**Answer:** {}",
    "The final answer is: {}.",
    "\u7b54\u6848\uff1a{}",
)


def right_forms(question: Question) -> Iterator[str]:
    target = question.target
    for form in BOXES:
        yield form.format(target)
    if question.kind is AnswerKind.BRACKETS:
        return  # a target of brackets takes its place in a box or alone
    for form in PLAIN:
        yield form.format(target)
    match question.kind:
        case AnswerKind.INTEGER:
            number = int(target.replace(",", ""))
            yield rf"\boxed{{{number:,}}}"
            yield rf"\boxed{{\$ {number}}}" if number >= 0 else rf"\boxed{{-\$ {-number}}}"
            yield rf"\boxed{{x = {number}}}"
            yield rf"\boxed{{\textbf{{(C)}}\ {number}}}"
            yield rf"\boxed{{\color{{red}}{{{number}}}}}"
            yield f"#### {number}"
            yield f"So {number} is the answer."
        case AnswerKind.LETTER:
            label = target.strip("()")
            yield f"Option ({label}) is correct."
            yield f"**{label}** is correct."
            yield rf"\boxed{{\textbf{{({label})}}\ 25}}"
            yield rf"\boxed{{\large {label}}}"
        case AnswerKind.WORD_LIST:
            yield rf"\boxed{{{', '.join(target.split())}}}"
            *first, last = target.split()
            yield rf"\boxed{{{', '.join(first)}, and {last}}}"


def wrong_targets(question: Question) -> Iterator[str]:
    target = question.target
    match question.kind:
        case AnswerKind.INTEGER:
            number = int(target.replace(",", ""))
            yield from (
                f"{number + 1}",
                f"{number - 1}",
                f"{number}.5",
                f"{number} or {number + 1}",
            )
            yield f"{number}/7"
        case AnswerKind.LETTER:
            label = target.strip("()")
            others = [each for each in question.letters if each != label]
            yield from others
            yield from (f"{label} or {others[0]}" for _ in others[:1])
            yield f"not {label}"
        case AnswerKind.WORD:
            pair = pair_of(target)
            assert pair is not None
            yield next(each for each in pair if each != target.casefold())
            yield from (f"{pair[0]} or {pair[1]}", f"not {target}")
        case AnswerKind.BRACKETS:
            yield from (f"{target} ]", f"( {target}")
        case AnswerKind.WORD_LIST:
            words = target.split()
            yield from (" ".join(words[::-1]), " ".join(words[1:]), f"{target} and more")
        case _:
            yield f"no {target}"


def check(question: Question) -> None:
    for text in right_forms(question):
        graded = grade(question.kind, text, question.target, question.letters)
        assert graded.right, (question.id, text, graded)
    for text in BOXES[:2]:
        said = text.format(question.target)
        graded = grade(question.kind, "", question.target, question.letters, f"So.\n\n{said}")
        assert graded.right, (question.id, "in the thinking", said, graded)
    for wrong in wrong_targets(question):
        for form in (*BOXES, *PLAIN[:3]):
            text = form.format(wrong)
            graded = grade(question.kind, text, question.target, question.letters)
            assert not graded.right, (question.id, text, graded)


@pytest.mark.parametrize("task", COUNTS)
def test_some_of_every_task(task: str) -> None:
    for question in load_questions(task, DATA, limit=QUICK):
        check(question)


@pytest.mark.slow
@pytest.mark.parametrize("task", COUNTS)
def test_all_of_every_task(task: str) -> None:
    questions = load_questions(task, DATA)
    assert len(questions) == COUNTS[task]
    for question in questions:
        check(question)


def check_mathematics(questions: list[Question]) -> None:
    targets = [each.target for each in questions]
    for question, other in zip(questions, [*targets[7:], *targets[:7]], strict=True):
        target = question.target
        for text in (*(form.format(target) for form in BOXES[::2]), f"The answer is ${target}$."):
            assert grade(AnswerKind.MATH, text, target).right, (question.id, text)
        for wrong in (rf"{target} + 1", rf"{target} \text{{ or }} 7919", other):
            if wrong != target:
                text = rf"\boxed{{{wrong}}}"
                assert not grade(AnswerKind.MATH, text, target).right, (question.id, text)


def test_some_of_math500() -> None:
    check_mathematics(load_questions("math500", DATA, limit=10))


@pytest.mark.slow
def test_all_of_math500() -> None:
    check_mathematics(load_questions("math500", DATA))
