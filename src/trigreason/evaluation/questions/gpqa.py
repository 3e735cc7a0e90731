"""GPQA Diamond: four options, of which the published table has the right one first."""

from __future__ import annotations

import hashlib
from typing import Literal

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.prompts import multiple_choice
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow

GpqaOrder = Literal["shuffled", "as published"]
"""The order of GPQA's options.

``as published`` keeps the right answer at (A) in every question, as SpecReason's public script
does. It is for repeating that script's results; a model that prefers (A) scores too high with it.
"""

LETTERS = ("A", "B", "C", "D")
_QUESTION, _FIELD, _ID = "Question", "High-level domain", "Record ID"
_OPTIONS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")


def question(row: SourceRow, seed: int = 0, order: GpqaOrder = "shuffled") -> Question:
    """A question from the official columns; see :data:`GpqaOrder` for the order of its options.

    Raises:
        ValueError: a column is missing, or empty.
    """
    row.require(_QUESTION, *_OPTIONS, _ID, _FIELD)
    name = row.text(_ID)
    columns = _OPTIONS if order == "as published" else shuffled(_OPTIONS, f"{seed}/{name}")
    options = dict(zip(LETTERS, (row.text(column) for column in columns), strict=True))
    return Question(
        id=name,
        prompt=multiple_choice(row.text(_QUESTION), options),
        target=LETTERS[columns.index(_OPTIONS[0])],
        group=row.text(_FIELD),
        kind=AnswerKind.LETTER,
        letters=LETTERS,
    )


def shuffled(items: tuple[str, ...], key: str) -> tuple[str, ...]:
    """A permutation of ``items`` that depends on them and ``key`` alone, on every machine."""
    return tuple(sorted(items, key=lambda item: hashlib.sha256(f"{key}/{item}".encode()).digest()))
