r"""Whether a model gives the wanted answer: scoring by rules, without a model.

What counts is the last ``\boxed{...}`` of the answer text. Without one it is searched for a
statement ("the answer is (B)", "Answer: 25"), and without a readable one its last line has to be
the answer. Where it says nothing, the last box of the thinking counts. Nothing else is searched: a
number that merely occurs is never taken for the answer. ``docs/evaluation.md`` tells it in full.
"""

from trigreason.evaluation.grading.grades import AnswerKind, Grade, grade

__all__ = ["AnswerKind", "Grade", "grade"]
