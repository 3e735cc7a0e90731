"""Questions from the published files."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from trigreason.evaluation.grading import AnswerKind, grade
from trigreason.evaluation.questions import TASKS, load_questions

DATA = os.environ.get("TRIGREASON_DATA", "")
pytestmark = pytest.mark.skipif(
    not DATA, reason="TRIGREASON_DATA names no folder with the published files"
)
THERE = ("aime24", "aime25", "bbh", "arc_challenge", "bundled")
COUNTS = {"aime24": 30, "aime25": 30, "bbh": 6511, "arc_challenge": 1150, "bundled": 1750}


@pytest.mark.parametrize("task", THERE)
def test_every_question_is_read_and_its_own_target_is_right(task: str) -> None:
    questions = load_questions(task, DATA)
    assert len(questions) == COUNTS[task]
    assert len({each.id for each in questions}) == len(questions)
    for each in questions:
        for answer in (
            rf"Thus the answer is $\boxed{{{each.target}}}$.",
            rf"\[ \boxed{{\text{{{each.target}}}}} \]",
        ):
            assert grade(each.kind, answer, each.target, each.letters).right, (each, answer)


@pytest.mark.parametrize("task", THERE)
def test_no_question_takes_the_answer_of_another(task: str) -> None:
    questions = load_questions(task, DATA)
    for each, other in zip(questions, [*questions[1:], questions[0]], strict=True):
        same = each.target.casefold() == other.target.casefold()
        right = grade(each.kind, rf"\boxed{{{other.target}}}", each.target, each.letters).right
        assert right is same or each.kind is AnswerKind.INTEGER


@pytest.mark.parametrize("task", ["bbh", "bundled"])
@pytest.mark.parametrize("limit", [5, 100])
def test_a_limit_takes_evenly_from_all_groups(task: str, limit: int) -> None:
    questions = load_questions(task, DATA, limit=limit)
    counts = Counter(each.group for each in questions)
    assert len(questions) == limit
    assert len(counts) == min(limit, len(TASKS[task].parts))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_kinds_of_bbh() -> None:
    kinds = Counter(each.kind for each in load_questions("bbh", DATA))
    assert kinds[AnswerKind.TEXT] == 3
    assert kinds[AnswerKind.BRACKETS] == kinds[AnswerKind.WORD_LIST] == 250
    assert kinds[AnswerKind.INTEGER] == 500
    assert kinds[AnswerKind.WORD] == 187 + 5 * 250
    assert kinds.total() == 6511


def test_the_bundled_pair_is_asked_the_published_items_bare() -> None:
    asked = {each.id: each for each in load_questions("bbh", DATA)}
    for each in load_questions("bundled", DATA):
        full = asked[each.id]
        assert full.prompt.startswith(f"{each.prompt}\n\n")
        assert (each.target, each.kind, each.letters) == (full.target, full.kind, full.letters)
