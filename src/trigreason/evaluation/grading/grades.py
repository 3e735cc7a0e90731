"""The kinds of answers, and the one function that grades them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from trigreason.evaluation.grading import brackets, integers, mathematics, option_labels, words
from trigreason.evaluation.grading.places import AnswerPlaces, answer_in
from trigreason.evaluation.grading.plain import plain


class AnswerKind(StrEnum):
    """What form a task's answers have.

    Attributes:
        INTEGER: an integer in digits; ``025`` is 25 (AIME, GSM8K, counting, arithmetic).
        LETTER: the label of one of the options, a letter or a digit (GPQA, ARC, most of BBH).
        MATH: an expression in LaTeX, right in any equal form (MATH-500).
        WORD: one of two words: True or False, Yes or No, valid or invalid (BBH).
        BRACKETS: the closing brackets that are missing, in order (BBH's ``dyck_languages``).
        WORD_LIST: words in order (BBH's ``word_sorting``).
        TEXT: the target literally, case and white space aside (three items of BBH).
    """

    INTEGER = "integer"
    LETTER = "letter"
    MATH = "math"
    WORD = "word"
    BRACKETS = "brackets"
    WORD_LIST = "word list"
    TEXT = "text"


_CODE = re.compile(r"```|\bdef \w+\(|\breturn\b|\bprint\(|(?m:^import )")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether the answer is right, and the answer as it was read; None if none was given."""

    right: bool
    given: str | None


def grade(
    kind: AnswerKind,
    answer_text: str | None,
    target: str,
    letters: Sequence[str] = (),
    thinking: str | None = None,
) -> Grade:
    """Grade what a model answered; no answer text raises an error.

    The answer text counts first. Only if it has no box and states no answer, the last box of the
    thinking counts, but nothing else in the thinking.

    Args:
        kind: the form of the answer.
        answer_text: what the model wrote after its thinking; None or an empty text if nothing.
        target: the wanted answer as published, such as ``025``, ``(A)`` or ``valid``.
        letters: the labels of the options, for ``LETTER``. A label that is not among them is wrong,
            and a letter is never read as the digit label at its position.
        thinking: what the model wrote before; None to ignore it.

    Returns:
        The grade. ``given`` is in normal form (``25``, ``A``, ``yes``) if the answer could be read
        as one of the kind, else the content of the box.

    Raises:
        ValueError: ``target`` is no answer of the kind.
        RuntimeError: the kind is ``MATH``, and math-verify cannot be started.
    """
    wanted = _read(kind, answer_in(rf"\boxed{{{target}}}"), target, letters)
    if wanted is None:
        raise ValueError(f"the target {target!r} is no {kind}")
    answer = answer_in(answer_text or "")
    given = _read(kind, answer, target, letters)
    if given is None and thinking and answer.says_nothing:
        thought = answer_in(thinking).last_box()
        given = _read(kind, thought, target, letters)
        pair = words.pair_of(target) if kind is AnswerKind.WORD else None
        if given is not None and _contradicts(answer, given, pair or letters):
            return Grade(False, None)
        answer = thought
    if given is None:
        box = answer.box
        return Grade(False, plain(box.inner) if box and box.inner else None)
    if kind is AnswerKind.MATH:
        return Grade(mathematics.are_equal(wanted, given), given)
    return Grade(given == wanted, given)


def _contradicts(answer: AnswerPlaces, given: str, choices: Sequence[str]) -> bool:
    """Whether an answer in plain words names candidates, but not the one in the thinking's box.

    Program code, which instruct models like to add, is ignored: its numbers are no candidates.
    """
    text = "\n".join(answer.lines)
    if _CODE.search(text):
        return False
    named = [*_NUMBER.findall(text.replace(",", ""))]
    named += [choice for choice in choices if re.search(rf"\b{re.escape(choice)}\b", text)]
    return bool(named) and given not in named


def _read(
    kind: AnswerKind, answer: AnswerPlaces, target: str, letters: Sequence[str]
) -> str | None:
    match kind:
        case AnswerKind.INTEGER:
            return answer.read(
                integers.integer,
                in_statement=integers.said,
                mentions=integers.mentioned,
                names=True,
                in_correction=integers.integer,
            )
        case AnswerKind.LETTER:
            return option_labels.read(answer, letters)
        case AnswerKind.MATH:
            return answer.read(
                mathematics.alone,
                in_box=mathematics.in_box,
                in_statement=mathematics.said,
                in_correction=integers.integer,
            )
        case AnswerKind.WORD:
            pair = words.pair_of(target)
            if pair is None:
                return None
            word = partial(words.word, pair=pair)
            return answer.read(word, in_correction=word)
        case AnswerKind.BRACKETS:
            return answer.read(brackets.brackets, in_box=brackets.in_box)
        case AnswerKind.WORD_LIST:
            return answer.read(partial(words.listed, wanted=target))
        case AnswerKind.TEXT:
            return answer.read(words.literal)
