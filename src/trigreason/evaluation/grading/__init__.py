r"""Grades a model's answer by rules, without a model.

The last ``\boxed{...}`` of the answer text counts. Without a box, a statement counts ("the answer
is (B)", "Answer: 25"), and without a readable statement the last line must be the answer. If the
answer text says nothing, the last box of the thinking counts. Nothing else is searched: a number
that merely occurs is never taken for the answer. ``docs/evaluation.md`` has the details.
"""

from trigreason.evaluation.grading.grades import AnswerKind, Grade, grade

__all__ = ["AnswerKind", "Grade", "grade"]
