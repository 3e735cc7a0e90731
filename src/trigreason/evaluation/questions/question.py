"""A question of a task."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.evaluation.grading import AnswerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, ready to be asked and graded.

    Attributes:
        id: unique within the task, and the same whatever else is loaded.
        prompt: the whole user turn.
        target: the wanted answer, as published (``025``, ``(A)``, ``invalid``).
        group: the part of the task it belongs to (a BBH task, a field of GPQA), or empty.
        kind: the form of the answer.
        letters: the labels of the options in the order shown; empty unless ``kind`` is LETTER.
    """

    id: str
    prompt: str
    target: str
    group: str = ""
    kind: AnswerKind
    letters: tuple[str, ...] = ()
