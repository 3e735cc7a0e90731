"""Questions from files in the published forms, and what is said of other files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.published_files import arc_item, bbh_file, gpqa_file, lines
from trigreason import bundled
from trigreason.evaluation.grading import AnswerKind, grade
from trigreason.evaluation.questions import TASKS, Question, load_questions
from trigreason.evaluation.questions.gpqa import shuffled


def answer(question: Question) -> str | None:
    """The text of the option that is right."""
    listed = dict(line[1:].split(") ", 1) for line in question.prompt.splitlines()[-4:])
    return listed.get(question.target)


def test_gpqa_is_read_with_fields_over_several_lines(tmp_path: Path) -> None:
    questions = load_questions("gpqa_diamond", str(gpqa_file(tmp_path)))
    assert sorted(each.id for each in questions) == [f"rec{number}" for number in range(6)]
    first = next(each for each in questions if each.id == "rec0")
    assert 'Question: Which value, "0",\nis larger?\n\nThink.\n\nOptions:\n(A) ' in first.prompt
    assert (first.group, first.kind, first.letters) == ("Physics", AnswerKind.LETTER, tuple("ABCD"))
    assert all(answer(each) == f"right {each.id[3:]}" for each in questions)


def test_gpqa_keeps_its_order_for_a_seed_and_has_another_for_others(tmp_path: Path) -> None:
    path = str(gpqa_file(tmp_path, 60))
    questions = load_questions("gpqa_diamond", path, seed=1)
    assert load_questions("gpqa_diamond", path, seed=1) == questions
    assert load_questions("gpqa_diamond", path, seed=1, limit=7) == questions[:7]
    others = load_questions("gpqa_diamond", path, seed=2)
    assert sum(a.prompt != b.prompt for a, b in zip(questions, others, strict=True)) > 40
    places = Counter(each.target for each in questions + others)
    assert set(places) == set("ABCD")
    assert max(places.values()) < 60


def test_gpqa_as_published_has_every_right_answer_at_a(tmp_path: Path) -> None:
    path = str(gpqa_file(tmp_path))
    questions = load_questions("gpqa_diamond", path, seed=3, gpqa_order="as published")
    assert {each.target for each in questions} == {"A"}
    assert all(answer(each) == f"right {each.id[3:]}" for each in questions)


@given(st.lists(st.text(), unique=True).map(tuple), st.text())
def test_shuffling_is_a_permutation(items: tuple[str, ...], key: str) -> None:
    assert sorted(shuffled(items, key)) == sorted(items)
    assert shuffled(items, key) == shuffled(items, key)


@pytest.mark.parametrize(
    ("labels", "key"), [("ABCD", "D"), ("ABC", "A"), ("ABCDE", "E"), ("1234", "3"), ("123", "1")]
)
def test_arc_keeps_its_options_and_labels(tmp_path: Path, labels: str, key: str) -> None:
    data = lines(tmp_path / "arc_challenge_test.jsonl", arc_item(labels, key))
    (question,) = load_questions("arc_challenge", data)
    assert (question.target, question.letters) == (key, tuple(labels))
    assert question.prompt.endswith("\n".join(f"({each}) option {each}" for each in labels))
    assert f"{labels[-2]} and {labels[-1]}," in question.prompt
    assert grade(question.kind, rf"\boxed{{{key}}}", key, question.letters).right


def test_arc_is_read_in_the_form_of_the_hub_too(tmp_path: Path) -> None:
    choices = {"text": ["less", "more", "equal"], "label": ["A", "B", "C"]}
    item = {"id": "x", "question": "Which?", "choices": choices, "answerKey": "B"}
    (question,) = load_questions("arc_challenge", lines(tmp_path / "any.jsonl", item))
    assert question.prompt.endswith("Question: Which?\n\nOptions:\n(A) less\n(B) more\n(C) equal")


def test_aime_takes_integers_and_texts(tmp_path: Path) -> None:
    items = [
        {"id": 60, "problem": "p", "answer": "025"},
        {"id": "I-1", "problem": "q", "answer": 7},
    ]
    questions = load_questions("aime25", lines(tmp_path / "any.jsonl", *items))
    assert [(each.id, each.target) for each in questions] == [("60", "025"), ("I-1", "7")]


def test_one_file_of_bbh_is_the_part_that_it_is_called_after(tmp_path: Path) -> None:
    example = {"input": "Which?\nOptions:\n(A) one\n(B) two\n(D) none", "target": "(B)"}
    path = bbh_file(tmp_path, "snarks", example)
    (question,) = load_questions("bbh", str(path))
    assert (question.id, question.group, question.letters) == ("snarks/0", "snarks", ("A", "B"))
    assert question.prompt.startswith(example["input"] + "\n\n")
    assert load_questions("bbh", str(tmp_path), groups=["snarks"]) == [question]


def test_groups_take_turns(tmp_path: Path) -> None:
    for name, count in (("navigate", 1), ("web_of_lies", 3), ("snarks", 2)):
        examples = [{"input": f"{number}?", "target": "Yes"} for number in range(count)]
        bbh_file(tmp_path / "bbh", name, *examples)
    groups = ["web_of_lies", "navigate", "snarks"]
    ids = [each.id for each in load_questions("bbh", str(tmp_path), groups=groups)]
    order = [
        "navigate/0",
        "snarks/0",
        "web_of_lies/0",
        "snarks/1",
        "web_of_lies/1",
        "web_of_lies/2",
    ]
    assert ids == order
    for limit in range(1, 8):
        some = load_questions("bbh", str(tmp_path), groups=groups, limit=limit)
        assert [each.id for each in some] == order[:limit]


def test_the_bundled_problems_need_no_data_and_are_asked_bare() -> None:
    questions = load_questions("bundled")
    asked = {(each.group, each.prompt, each.target) for each in questions}
    assert asked == set(map(tuple, bundled.problems()))
    assert len({each.id for each in questions}) == len(questions) == 140
    assert {each.group for each in questions} == set(TASKS["bundled"].parts)
    some = load_questions("bundled", groups=["navigate"], limit=3)
    assert [each.id for each in some] == ["navigate/0", "navigate/1", "navigate/2"]
    assert set(some) < set(questions)
