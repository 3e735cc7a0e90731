"""AIME: problems whose answers are integers from 0 to 999."""

from __future__ import annotations

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.prompts import mathematics
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import Row


def question(row: Row) -> Question:
    """A problem from its keys ``id``, ``problem`` and ``answer`` (``025`` is a fine integer).

    Raises:
        ValueError: a key is missing, or its value of another kind.
    """
    row.require("id", "problem", "answer")
    answer = row.text("answer")
    if not (answer.isascii() and answer.isdigit()):
        raise row.wrong(f"'answer' is no integer from 0 on: {answer!r}")
    return Question(
        id=row.text("id"),
        prompt=mathematics(row.text("problem")),
        target=answer,
        kind=AnswerKind.INTEGER,
    )
