"""Marks of flawed tokens: from the first wrong word of a slip on, and after a step to be rated."""

from itertools import pairwise

from training.data import Document, examples, judge_document
from training.families import FAMILIES
from training.flaws import FINE, FLAWED, UNKNOWN, first_difference, flaw_marks
from training.held_out import development
from training.judging import RIGHT, WRONG, JudgeExample

SLIP = (
    ("prompt ", 0.0),
    ("a is 5", 0.0),
    ("Wait", 1.0),
    ("Actually, a is 4", 1.0),
    ("end", 1.0),
)


def characters(text: str) -> list[tuple[int, int]]:
    """Spans of a tokenizer that knows single characters only."""
    return list(pairwise(range(len(text) + 1)))


def test_a_slip_is_flawed_from_where_it_differs() -> None:
    text = "".join(part for part, _ in SLIP)
    marks = flaw_marks(SLIP, characters(text))
    slip = text.index("a is 5")
    assert marks[:slip] == [UNKNOWN] * slip
    assert marks[slip : slip + 6] == [FINE] * 5 + [FLAWED]
    assert set(marks[slip + 6 :]) == {FINE}


def test_what_follows_a_rated_step_is_marked_as_the_step() -> None:
    question = development("web_of_lies")[0].question
    for digit, mark in ((RIGHT, FINE), (WRONG, FLAWED)):
        document = judge_document("web_of_lies", JudgeExample(question, ("A step.",), digit))
        marks = flaw_marks(document.segments, characters(document.text))
        assert set(marks[: document.text.index("\n\n<|im_end|>")]) == {UNKNOWN}
        assert marks[document.text.index("Score: ")] == mark


def test_every_document_can_be_marked() -> None:
    stream = examples(3, dict.fromkeys(FAMILIES, 1.0), judge_share=0.3)
    documents: list[Document] = [next(stream) for _ in range(200)]
    marked = [flaw_marks(d.segments, characters(d.text)) for d in documents]
    assert all(len(marks) == len(d.text) for marks, d in zip(marked, documents, strict=True))
    assert any(FLAWED in marks for marks in marked)


def test_first_difference() -> None:
    assert first_difference("abc", "abd") == 2
    assert first_difference("ab", "abd") == 2
    assert first_difference("same", "same") == 4
