"""ARC: three to five options, labelled A to E or 1 to 5."""

from __future__ import annotations

from typing import Any

from trigreason.evaluation.grading import AnswerKind
from trigreason.evaluation.prompts import multiple_choice
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow


def question(row: SourceRow) -> Question:
    """A question in AI2's own form (``question`` an object with ``stem`` and ``choices``) or in the
    hub's (``question`` a text, ``choices`` an object of lists); labels stay as they are.

    Raises:
        ValueError: it has neither form, or ``answerKey`` is none of the labels.
    """
    row.require("id", "question", "answerKey")
    stem, labelled = _own_form(row) if _is_own(row) else _hub_form(row)
    options = dict(labelled)
    if not 2 <= len(options) == len(labelled):
        raise row.wrong(f"expected several options with labels of their own, found {labelled!r}")
    target = row.text("answerKey")
    if target not in options:
        raise row.wrong(f"'answerKey' is {target!r}, but the labels are {', '.join(options)}")
    return Question(
        id=row.text("id"),
        prompt=multiple_choice(stem, options),
        target=target,
        kind=AnswerKind.LETTER,
        letters=tuple(options),
    )


def _is_own(row: SourceRow) -> bool:
    return isinstance(row.values["question"], dict)


def _own_form(row: SourceRow) -> tuple[str, list[tuple[str, str]]]:
    content = SourceRow(row.values["question"], row.where)
    content.require("stem", "choices")
    choices = content.values["choices"]
    if not isinstance(choices, list):
        raise row.wrong(f"'choices' is no list: {choices!r:.60}")
    return content.text("stem"), [_labelled(row, choice) for choice in choices]


def _hub_form(row: SourceRow) -> tuple[str, list[tuple[str, str]]]:
    row.require("choices")
    choices = row.values["choices"]
    if not isinstance(choices, dict) or {"text", "label"} - set(choices):
        raise row.wrong(f"'choices' is no object with lists 'text' and 'label': {choices!r:.60}")
    texts, labels = choices["text"], choices["label"]
    if not (isinstance(texts, list) and isinstance(labels, list)):
        raise row.wrong(f"'text' and 'label' of 'choices' are no lists: {choices!r:.60}")
    if len(texts) != len(labels):
        raise row.wrong(f"{len(texts)} options have {len(labels)} labels")
    pairs = zip(texts, labels, strict=True)
    return row.text("question"), [
        _labelled(row, {"text": text, "label": label}) for text, label in pairs
    ]


def _labelled(row: SourceRow, choice: Any) -> tuple[str, str]:
    if not isinstance(choice, dict):
        raise row.wrong(f"a choice is no object with 'text' and 'label': {choice!r:.60}")
    option = SourceRow(choice, row.where)
    option.require("text", "label")
    return option.text("label"), option.text("text")
