"""BIG-Bench Hard: 27 tasks of ``input`` and ``target``; the target tells the kind of answer."""

from __future__ import annotations

import re
from itertools import takewhile

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.grading.words import pair_of
from trigreason.evaluation.prompts import published
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow

BBH_TASKS = (
    "boolean_expressions",
    "causal_judgement",
    "date_understanding",
    "disambiguation_qa",
    "dyck_languages",
    "formal_fallacies",
    "geometric_shapes",
    "hyperbaton",
    "logical_deduction_five_objects",
    "logical_deduction_seven_objects",
    "logical_deduction_three_objects",
    "movie_recommendation",
    "multistep_arithmetic_two",
    "navigate",
    "object_counting",
    "penguins_in_a_table",
    "reasoning_about_colored_objects",
    "ruin_names",
    "salient_translation_error_detection",
    "snarks",
    "sports_understanding",
    "temporal_sequences",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "tracking_shuffled_objects_three_objects",
    "web_of_lies",
    "word_sorting",
)
BUNDLED_FAMILIES = (
    "tracking_shuffled_objects_three_objects",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "boolean_expressions",
    "web_of_lies",
    "navigate",
    "object_counting",
)
"""The tasks that the bundled pair was trained for, on generated problems."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OPTION = re.compile(r"^\(([A-Z])\)", re.MULTILINE)
_LABEL = re.compile(r"\(([A-Z])\)")
_INTEGER = re.compile(r"-?[0-9]+")
_BRACKETS = re.compile(r"[\[\](){}<>\s]+")
_SORTS_WORDS = "word_sorting"


def question(row: SourceRow, group: str, number: int, *, bare: bool = False) -> Question:
    """The ``number``-th item of a group, from its ``input`` and ``target``.

    The prompt of a ``bare`` item is its input alone, which is what the bundled pair understands.

    Raises:
        ValueError: a key is missing, or the target is a label that no option has.
    """
    row.require("input", "target")
    text, target = row.text("input"), row.text("target")
    kind = _kind_of(group, target)
    letters = _options_of(text) if kind is AnswerKind.LETTER else ()
    if kind is AnswerKind.LETTER and target[1] not in letters:
        raise row.wrong(f"'target' is {target!r}, but the options are {', '.join(letters)}")
    return Question(
        id=f"{group}/{number}",
        prompt=text if bare else published(text, kind, _choice(target)),
        target=target,
        group=group,
        kind=kind,
        letters=letters,
    )


def _kind_of(group: str, target: str) -> AnswerKind:
    """The kind of answer, from the form of the target.

    Three items (one of ``movie_recommendation``, two of ``ruin_names``) have options that were torn
    apart at their commas and a target that is none of them: their kind is TEXT.
    """
    if group == _SORTS_WORDS:
        return AnswerKind.WORD_LIST
    if _LABEL.fullmatch(target):
        return AnswerKind.LETTER
    if _INTEGER.fullmatch(target):
        return AnswerKind.INTEGER
    if pair_of(target):
        return AnswerKind.WORD
    return AnswerKind.BRACKETS if _BRACKETS.fullmatch(target) else AnswerKind.TEXT


def _options_of(text: str) -> tuple[str, ...]:
    """The labels of the options at the beginnings of lines, from A on without a gap."""
    labels = zip(_OPTION.findall(text), _ALPHABET, strict=False)
    return tuple(label for label, _ in takewhile(lambda pair: pair[0] == pair[1], labels))


def _choice(target: str) -> tuple[str, str] | None:
    """The words to choose from, spelled like the target: ``("True", "False")``."""
    pair = pair_of(target)
    if pair is None or target.islower():
        return pair
    return pair[0].capitalize(), pair[1].capitalize()
