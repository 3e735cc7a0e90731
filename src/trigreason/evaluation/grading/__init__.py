r"""Whether an answer text gives the wanted answer: pure scoring, without a model.

What counts is the last ``\boxed{...}``. Only a text that opens no box at all is searched for a
statement ("the answer is (B)", "Answer: 25"), and without a readable one its last line has to be
the answer. Nothing else is searched: a number that merely occurs is never taken for the answer.
"""

from trigreason.evaluation.grading.grades import AnswerKind, Grade, grade

__all__ = ["AnswerKind", "Grade", "grade"]
