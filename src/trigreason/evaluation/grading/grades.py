"""The kinds of answers, and the one function that grades them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trigreason.evaluation.grading import brackets, integers, labels, words
from trigreason.evaluation.grading.places import Answer, answer_in
from trigreason.evaluation.grading.plain import plain


class AnswerKind(StrEnum):
    """What form a task's answers have.

    Attributes:
        INTEGER: an integer in digits; ``025`` is 25 (AIME, counting, arithmetic).
        LETTER: the label of one of the options, a letter or a digit (GPQA, ARC, most of BBH).
        WORD: one of two words: True or False, Yes or No, valid or invalid (BBH).
        BRACKETS: the closing brackets that are missing, in order (BBH's ``dyck_languages``).
        WORD_LIST: words in order (BBH's ``word_sorting``).
        TEXT: the target literally, case and white space aside (three items of BBH).
    """

    INTEGER = "integer"
    LETTER = "letter"
    WORD = "word"
    BRACKETS = "brackets"
    WORD_LIST = "word list"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether the answer is right, and what it was taken to be; None where none was given."""

    right: bool
    given: str | None


def grade(
    kind: AnswerKind, answer_text: str | None, target: str, letters: Sequence[str] = ()
) -> Grade:
    """Grade what a model answered after its thinking; no answer text raises.

    Args:
        kind: the form of the answer.
        answer_text: what the model wrote after its thinking; None or an empty text is wrong.
        target: the wanted answer as published, such as ``025``, ``(A)`` or ``valid``.
        letters: the labels of the options, for ``LETTER``. A label that is not among them is wrong,
            and a letter never stands for a digit label at its position.

    Returns:
        The grade. ``given`` is in normal form (``25``, ``A``, ``yes``) where the answer could be
        read as one of the kind, else what stands in the box.

    Raises:
        ValueError: ``target`` is no answer of the kind.
    """
    wanted = _read(kind, answer_in(rf"\boxed{{{target}}}"), target, letters)
    if wanted is None:
        raise ValueError(f"the target {target!r} is no {kind}")
    answer = answer_in(answer_text or "")
    given = _read(kind, answer, target, letters)
    if given is None and answer.box is not None:
        return Grade(False, plain(answer.box) or None)
    return Grade(given == wanted, given)


def _read(kind: AnswerKind, answer: Answer, target: str, letters: Sequence[str]) -> str | None:
    match kind:
        case AnswerKind.INTEGER:
            return integers.read(answer)
        case AnswerKind.LETTER:
            return labels.read(answer, letters)
        case AnswerKind.WORD:
            return words.read_word(answer, words.pair_of(target))
        case AnswerKind.BRACKETS:
            return brackets.read(answer)
        case AnswerKind.WORD_LIST:
            return words.read_list(answer)
        case AnswerKind.TEXT:
            return words.read_text(answer)
