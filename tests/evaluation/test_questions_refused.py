"""What is said of files in another form, and of what there is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.published_files import COLUMNS, arc_item, bbh_file, gpqa_file, lines
from trigreason.evaluation.questions import load_questions

ONE_LINE = r"^[^\n]+$"


def arc(**changed: object) -> str:
    return json.dumps(arc_item("AB", "A") | changed)


@pytest.mark.parametrize(
    ("task", "content", "told"),
    [
        ("aime24", "", "holds no questions of aime24"),
        ("aime24", '[{"id": 1}]', "line 1: expected a JSON object, found"),
        ("aime24", "id,problem,answer\n", "line 1: expected one JSON object a line"),
        (
            "aime24",
            '{"id": 1, "problem": "p"}',
            "expected the keys 'id', 'problem', 'answer'; found 'id', 'problem'",
        ),
        (
            "aime24",
            '\n{"id": 1, "problem": "p", "answer": "1/2"}',
            "line 2: 'answer' is no integer",
        ),
        ("aime24", '{"id": 1, "problem": " ", "answer": "2"}', "'problem' is empty"),
        ("aime24", '{"id": 1, "problem": ["p"], "answer": "2"}', "'problem' is no text"),
        ("aime24", '{"id": 1, "problem": "p", "answer": true}', "'answer' is no text: True"),
        ("aime24", '{"id": 1, "problem": "p", "answer": "2"}\n' * 2, "2 questions have the id '1'"),
        ("gsm8k", '{"question": "q", "answer": "2"}', "'answer' does not end with #### and an"),
        ("gsm8k", '{"question": "q", "answer": "#### 1/2"}', "and an integer: '#### 1/2'"),
        ("math500", '{"problem": "q"}', "expected the keys 'problem', 'answer'"),
        (
            "arc_challenge",
            '{"id": "x", "question": "q", "answerKey": "A"}',
            "expected the keys 'choices'",
        ),
        (
            "arc_challenge",
            json.dumps(arc_item("ABCD", "E")),
            "'answerKey' is 'E', but the labels are A",
        ),
        (
            "arc_challenge",
            json.dumps(arc_item("ABCA", "A")),
            "expected several options with labels",
        ),
        ("arc_challenge", json.dumps(arc_item("A", "A")), "expected several options with labels"),
        ("arc_challenge", arc(question={}), "expected the keys 'stem'"),
        (
            "arc_challenge",
            arc(question={"stem": "q", "choices": 3}),
            "'choices' is no list: 3",
        ),
        (
            "arc_challenge",
            arc(question={"stem": "q", "choices": [3]}),
            "a choice is no object",
        ),
        (
            "arc_challenge",
            arc(question="q", choices=["a"]),
            "'choices' is no object with lists",
        ),
        (
            "arc_challenge",
            arc(question="q", choices={"text": ["a"], "label": []}),
            "1 options have 0 labels",
        ),
        (
            "arc_challenge",
            arc(question="q", choices={"text": 3, "label": ["A"]}),
            "'text' and 'label' of 'choices' are no lists",
        ),
        (
            "gpqa_diamond",
            "Question,Answer\nq,a\n",
            "line 2: expected the keys 'Question', 'Correct Answer', "
            "'Incorrect Answer 1', 'Incorrect Answer 2', 'Incorrect Answer 3', 'Record ID', "
            "'High-level domain'; found 'Question', 'Answer'",
        ),
        (
            "gpqa_diamond",
            ",".join(COLUMNS) + '\na,b,"c\nd",e,f\n',
            "line 2: 'Incorrect Answer 2' is empty",
        ),
        ("gpqa_diamond", ",".join(COLUMNS) + '\na,b,"c\nd,e,f\n', "no CSV: unexpected end of data"),
        ("gpqa_diamond", "", "holds no questions of gpqa_diamond"),
    ],
)
def test_other_files_are_refused_in_one_line(
    tmp_path: Path, task: str, content: str, told: str
) -> None:
    path = tmp_path / "some.file"
    path.write_text(content)
    with pytest.raises(ValueError, match=ONE_LINE) as refused:
        load_questions(task, str(path))
    assert str(path) in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"examples": [}', "line 1: no JSON"),
        ('{"data": []}', "expected the key 'examples' with a list; found 'data'"),
        ("[1, 2]", "expected the key 'examples' with a list; found [1, 2]"),
        ('{"examples": [3]}', "example 1: expected a JSON object, found 3"),
        (
            '{"examples": [{"input": "q"}]}',
            "example 1: expected the keys 'input', 'target'; found 'input'",
        ),
        (
            '{"examples": [{"input": "q\\n(A) a", "target": "(B)"}]}',
            "'target' is '(B)', but the options are A",
        ),
        ('{"examples": []}', "holds no questions of bbh"),
    ],
)
def test_other_files_than_bbhs_are_refused(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "snarks.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=ONE_LINE) as refused:
        load_questions("bbh", str(path))
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "aime24.jsonl"
    path.write_bytes(b'{"id": "\xff"}')
    with pytest.raises(ValueError, match="no UTF-8 text, at byte 8"):
        load_questions("aime24", str(tmp_path))


@pytest.mark.parametrize(
    ("task", "options", "told"),
    [
        (
            "aime23",
            {},
            "there is no task 'aime23'; there are aime24, aime25, gsm8k, math500, gpqa_diamond",
        ),
        ("bundled", {"limit": 0}, "a limit of 0 leaves no question"),
        ("bundled", {"groups": ["snarks"]}, "bundled has no group 'snarks'; there are tracking"),
        (
            "bundled",
            {"gpqa_order": "random"},
            "no order 'random' of GPQA's options; it is shuffled",
        ),
        ("bundled", {"data": "no/such"}, "there is no file or folder no/such"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(task: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=ONE_LINE) as refused:
        load_questions(task, **options)
    assert told in str(refused.value)


def test_groups_are_those_of_the_data(tmp_path: Path) -> None:
    gpqa = str(gpqa_file(tmp_path))
    aime = lines(tmp_path / "any.jsonl", {"id": "1", "problem": "p", "answer": "7"})
    assert {each.group for each in load_questions("gpqa_diamond", gpqa, groups=["Biology"])} == {
        "Biology"
    }
    with pytest.raises(ValueError, match="no group 'Chemistry'; there are Biology, Physics"):
        load_questions("gpqa_diamond", gpqa, groups=["Chemistry"])
    with pytest.raises(ValueError, match="aime24 has no group 'I'; it has none"):
        load_questions("aime24", aime, groups=["I"])


def test_a_folder_without_the_tasks_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no data of gpqa_diamond: no gpqa_diamond.csv or"):
        load_questions("gpqa_diamond", str(tmp_path))
    bbh_file(tmp_path, "snarks")
    with pytest.raises(ValueError, match="lacks 26 of 27 files of bbh: no boolean_expressions"):
        load_questions("bbh", str(tmp_path))
    bbh_file(tmp_path, "other")
    with pytest.raises(ValueError, match="is called after none of these parts of bbh"):
        load_questions("bbh", str(tmp_path / "other.json"))
