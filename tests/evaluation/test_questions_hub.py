"""Questions from the hub, which a double stands for: tests reach no network."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from datasets.exceptions import (  # type: ignore[import-untyped]  # it ships no types
    DatasetNotFoundError,
)

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.questions import load_questions

GPQA = {
    "Pre-Revision Question": "?",
    "Record ID": "rec1",
    "High-level domain": "Physics",
    "Question": "Which?",
    "Correct Answer": "right\n",
    "Incorrect Answer 1": "wrong 1",
    "Incorrect Answer 2": "wrong 2",
    "Incorrect Answer 3": "wrong 3",
}
AIME24 = {"id": 67, "problem": "p", "solution": "s", "answer": "025", "url": "u", "year": "2024"}
ARC = {
    "id": "Mercury_1",
    "question": "Which?",
    "choices": {"text": ["one", "two", "three"], "label": ["1", "2", "3"]},
    "answerKey": "2",
}
GSM8K = {"question": "How many?", "answer": "It is <<800*2=1600>>1600.\n#### 1,600"}
MATH = {
    "problem": "p",
    "solution": "s",
    "answer": r"\frac{1}{2}",
    "subject": "Algebra",
    "level": 2,
    "unique_id": "test/algebra/1.json",
}
BBH = {"input": "not True is", "target": "False"}
PUBLISHED: dict[tuple[str, str, str], list[dict[str, Any]]] = {
    ("HuggingFaceH4/aime_2024", "default", "train"): [AIME24],
    ("math-ai/aime25", "default", "test"): [{"problem": "p", "answer": "70", "id": "0"}],
    ("Idavidrein/gpqa", "gpqa_diamond", "train"): [GPQA],
    ("SaylorTwift/bbh", "boolean_expressions", "test"): [BBH, BBH],
    ("SaylorTwift/bbh", "snarks", "test"): [{"input": "?\n(A) a\n(B) b", "target": "(B)"}],
    ("allenai/ai2_arc", "ARC-Challenge", "test"): [ARC],
    ("openai/gsm8k", "main", "test"): [GSM8K, GSM8K],
    ("HuggingFaceH4/MATH-500", "default", "test"): [MATH, MATH | {"subject": "Geometry"}],
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double of ``load_dataset`` that holds a few rows with the published columns."""

    def load_dataset(path: str, name: str, *, split: str) -> list[dict[str, Any]]:
        return PUBLISHED[path, name, split]

    monkeypatch.setattr("datasets.load_dataset", load_dataset)


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("data", [None, "hub"])
def test_the_hubs_columns_are_read(data: str | None) -> None:
    (aime24,) = load_questions("aime24", data)
    assert (aime24.id, aime24.target, aime24.kind) == ("67", "025", AnswerKind.INTEGER)
    (aime25,) = load_questions("aime25", data)
    assert (aime25.id, aime25.target) == ("0", "70")
    gsm8k = load_questions("gsm8k", data)
    assert [(each.id, each.target, each.kind) for each in gsm8k] == [
        ("1", "1,600", AnswerKind.INTEGER),
        ("2", "1,600", AnswerKind.INTEGER),
    ]
    (geometry,) = load_questions("math500", data, groups=["Geometry"])
    assert (geometry.id, geometry.group) == ("2", "Geometry")
    assert (geometry.target, geometry.kind) == (r"\frac{1}{2}", AnswerKind.MATH)
    (gpqa,) = load_questions("gpqa_diamond", data, gpqa_order="as published")
    assert (gpqa.id, gpqa.target, gpqa.group) == ("rec1", "A", "Physics")
    assert "(A) right\n(B) wrong 1\n" in gpqa.prompt
    (arc,) = load_questions("arc_challenge", data)
    assert (arc.target, arc.letters) == ("2", ("1", "2", "3"))
    bbh = load_questions("bbh", data, groups=["snarks", "boolean_expressions"])
    assert [each.id for each in bbh] == [
        "boolean_expressions/0",
        "snarks/0",
        "boolean_expressions/1",
    ]


@pytest.mark.usefixtures("hub")
def test_the_bundled_families_come_from_the_hub_when_it_is_named() -> None:
    questions = load_questions("bundled", "hub", groups=["boolean_expressions"])
    assert [each.prompt for each in questions] == [BBH["input"]] * 2


@pytest.mark.parametrize(
    ("task", "error", "told"),
    [
        (
            "aime24",
            ConnectionError("Couldn't reach it"),
            "the Hugging Face hub cannot be reached for "
            "HuggingFaceH4/aime_2024 (Couldn't reach it); name a file or folder with aime24's data",
        ),
        (
            "gpqa_diamond",
            DatasetNotFoundError("'x' is a gated dataset on the Hub.\nAsk."),
            "Idavidrein/gpqa is gated: accept its terms at "
            "https://huggingface.co/datasets/Idavidrein/gpqa and set HF_TOKEN",
        ),
        ("gpqa_diamond", ConnectionError("no route"), "the Hugging Face hub cannot be reached"),
        (
            "bbh",
            DatasetNotFoundError("'x' doesn't exist\nor so"),
            "SaylorTwift/bbh cannot be loaded from the "
            "Hugging Face hub: 'x' doesn't exist; name a file",
        ),
        ("bbh", ValueError("BuilderConfig 'x' not found."), "BuilderConfig 'x' not found"),
        (
            "bbh",
            RuntimeError("Dataset scripts are no longer supported"),
            "scripts are no longer supported",
        ),
    ],
)
def test_what_the_hub_refuses_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, task: str, error: Exception, told: str
) -> None:
    def load_dataset(*_: str, **__: str) -> None:
        raise error

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        load_questions(task)
    assert told in str(refused.value)
    assert refused.value.__cause__ is error


def test_other_columns_than_the_published_ones_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.load_dataset", lambda *_, **__: [{"question": "q"}])
    with pytest.raises(ValueError, match=r"row 0: expected the keys 'id', .*; found 'question'"):
        load_questions("aime25")


def test_attempts_to_reach_the_hub_are_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load_dataset(path: str, name: str, *, split: str) -> list[dict[str, Any]]:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry 1/5].")
        raise ConnectionError("no route")

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    with pytest.raises(ValueError, match="cannot be reached"):
        load_questions("aime24")
    assert not caplog.records
