r"""Problems of mathematics: AIME, GSM8K and MATH-500."""

from __future__ import annotations

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.grading.integers import integer
from trigreason.evaluation.prompts import mathematics
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow

_FINAL = "####"
"""What GSM8K puts before the result of a worked answer."""


def aime(row: SourceRow) -> Question:
    """A problem from its keys ``id``, ``problem`` and ``answer`` (``025`` is allowed).

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


def gsm8k(row: SourceRow, number: int) -> Question:
    """The ``number``-th problem from its keys ``question`` and ``answer``, which ends with ``####``
    and an integer (``1,600`` is allowed).

    Raises:
        ValueError: a key is missing, or no integer follows ``####``.
    """
    row.require("question", "answer")
    _, mark, target = row.text("answer").rpartition(_FINAL)
    if not mark or integer(target) is None:
        ending = row.text("answer")[-40:]
        raise row.wrong(f"'answer' does not end with {_FINAL} and an integer: {ending!r}")
    return Question(
        id=str(number),
        prompt=mathematics(row.text("question")),
        target=target.strip(),
        kind=AnswerKind.INTEGER,
    )


def math500(row: SourceRow, number: int) -> Question:
    """The ``number``-th problem from its keys ``problem`` and ``answer``, an expression in LaTeX.

    Its group is its ``subject``; data without subjects has no groups.

    Raises:
        ValueError: a key is missing, or its value of another kind.
    """
    row.require("problem", "answer")
    return Question(
        id=str(number),
        prompt=mathematics(row.text("problem")),
        target=row.text("answer"),
        group=row.text("subject") if "subject" in row.values else "",
        kind=AnswerKind.MATH,
    )
