"""Labels of the bundled families' steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.studies.recordings import LRM, step, trace
from trigreason.bundled import problems
from trigreason.bundled.families import FAMILIES
from trigreason.evaluation.runs import Run
from trigreason.reasoning import StepEnd, StepRecord
from trigreason.studies.checking import checked_steps

PROBLEM = problems()[0]
CHAIN = FAMILIES[PROBLEM.family].solve(PROBLEM.question).steps
WRONG = CHAIN[1].replace("State 0: ", "State 0: Nobody Z ")
WAIT = step("Wait, check 1.\n\n")
BLANK = step(" \n\n")


def right(index: int, *, standing: bool = True) -> StepRecord:
    return step(f"{CHAIN[index]}\n\n", standing=standing)


def wrong(*, standing: bool = True) -> StepRecord:
    return step(f"{WRONG}\n\n", standing=standing)


def labels(
    steps: list[StepRecord], question: str = PROBLEM.question, group: str = ""
) -> list[object]:
    return list(checked_steps(Run(trace=trace(steps, question=question), group=group)))


LAST = step(CHAIN[-1], end=StepEnd.END_OF_THINKING)
MIDDLE = [right(index) for index in range(len(CHAIN) - 1)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([*MIDDLE, LAST], [True] * len(CHAIN)),
        ([*MIDDLE, LAST, BLANK], [*[True] * len(CHAIN), None]),
        ([right(0), wrong(), right(2)], [True, False, None]),
        ([right(0), WAIT, right(1)], [True, None, None]),
        ([right(0), BLANK, right(1)], [True, None, True]),
        ([right(0), wrong(standing=False), right(1), right(2)], [True, False, True, True]),
        ([right(0), right(1, standing=False), right(1)], [True, True, True]),
        ([right(0), replace(WAIT, standing=False), right(1)], [True, None, True]),
        ([right(0), replace(right(1), author=LRM), wrong()], [True, True, False]),
        ([right(0), right(1), replace(right(2), end=StepEnd.CUT_OFF)], [True, True, None]),
        ([*MIDDLE, LAST, right(1)], [*[True] * len(CHAIN), False]),
    ],
)
def test_steps_are_labelled(steps: list[StepRecord], expected: list[bool | None]) -> None:
    assert labels(steps) == expected


@pytest.mark.parametrize(("family", "question", "_"), problems()[::20])
def test_the_right_chain_of_every_family_is_right(family: str, question: str, _: str) -> None:
    chain = FAMILIES[family].solve(question).steps
    steps = [step(f"{text}\n\n") for text in chain]
    assert labels(steps, question) == [True] * len(chain)
    assert labels(steps, question, group=family) == [True] * len(chain)


def test_other_questions_and_other_models_words_have_no_label() -> None:
    assert labels([right(0), right(1)], question="Why is the sky blue?") == [None, None]
    prose = [step("Let me see who has which ball.\n\n"), step("Bob has the red one.\n\n")]
    assert labels(prose) == [None, None]
