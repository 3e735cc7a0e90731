"""Which questions are asked: some to calibrate on, and others to evaluate on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from trigreason.evaluation.questions import Question, load_questions

Part = Literal["calibration", "evaluation"]

SEED = 0
"""Of the order in which questions are drawn."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Questions of one kind.

    Attributes:
        name: what it is called here; the name of its file of runs.
        task: one of the evaluation's tasks.
        calibrating: so many questions serve to calibrate.
        evaluating: so many others are evaluated.
        block: so many of them come in one turn, before it is the next data set's.
        group: the part of the task that is meant; None for all of it.
    """

    name: str
    task: str
    calibrating: int
    evaluating: int
    block: int
    group: str | None = None


CANDIDATES = (
    "object_counting",
    "date_understanding",
    "reasoning_about_colored_objects",
    "logical_deduction_three_objects",
)
"""Families of BIG-Bench Hard that may be hard for the SRM and not hopeless for the LRM."""


def family(name: str) -> DataSet:
    """A family of BIG-Bench Hard as a data set."""
    return DataSet(name, "bbh", calibrating=8, evaluating=50, block=1, group=name)


SETS = (
    DataSet("gsm8k", "gsm8k", calibrating=24, evaluating=150, block=3),
    DataSet("arc_challenge", "arc_challenge", calibrating=16, evaluating=100, block=2),
    family("reasoning_about_colored_objects"),
)
"""The blocks make all sets end at about the same time."""


class Drawn(NamedTuple):
    """A data set's questions; no question is in both parts."""

    data: DataSet
    calibration: list[Question]
    evaluation: list[Question]

    def part(self, name: Part) -> list[Question]:
        return self.calibration if name == "calibration" else self.evaluation


def drawn(data: DataSet, folder: str | None) -> Drawn:
    """Draw a data set's questions from the published ones in ``folder``.

    The order depends on the seed and on a question's id alone, so a larger number of evaluated
    questions adds some and changes none.

    Raises:
        ValueError: the data cannot be read, or holds too few questions.
    """
    groups = None if data.group is None else [data.group]
    found = load_questions(data.task, folder, groups=groups)
    wanted = data.calibrating + data.evaluating
    if len(found) < wanted:
        raise ValueError(f"{data.name} has {len(found)} questions, and {wanted} are needed")
    order = sorted(found, key=lambda each: _drawn(each.id))
    return Drawn(data, order[: data.calibrating], order[data.calibrating : wanted])


def _drawn(name: str) -> bytes:
    return hashlib.sha256(f"{SEED}/{name}".encode()).digest()


def asked(question: Question) -> str:
    """48 bits of what is asked and wanted, so that another prompt is another run."""
    told = f"{question.prompt}\0{question.target}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def in_turns(sets: Sequence[Drawn]) -> Iterator[tuple[Drawn, Question]]:
    """The evaluated questions in blocks, data set after data set, round by round."""
    left = [(each, iter(_blocks(each.evaluation, each.data.block))) for each in sets]
    while left:
        for turn in list(left):
            each, blocks = turn
            block = next(blocks, None)
            if block is None:
                left.remove(turn)
            else:
                yield from ((each, question) for question in block)


def _blocks(questions: Sequence[Question], size: int) -> list[Sequence[Question]]:
    return [questions[start : start + size] for start in range(0, len(questions), size)]
