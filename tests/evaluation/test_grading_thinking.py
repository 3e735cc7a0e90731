"""The box in the thinking counts where the answer has none, and only there."""

from __future__ import annotations

import pytest
from inspect_ai.model import ContentReasoning, ContentText, ModelOutput

from trigreason.evaluation.grading import AnswerKind, grade
from trigreason.evaluation.outputs import thinking_in

INTEGER, LETTER, WORD = AnswerKind.INTEGER, AnswerKind.LETTER, AnswerKind.WORD
ABCD = tuple("ABCD")

CASES = [
    (INTEGER, "", r"So 48 + 24 = 72. \boxed{72}", "72", True),
    (INTEGER, "Natalia sold many clips.", r"\boxed{72}", "72", True),
    (INTEGER, "def solve():\n    return 48 + 24", r"\boxed{72}", "72", True),
    (
        INTEGER,
        "Therefore Natalia sold 72 clips in all, in April and May.",
        r"\boxed{72}",
        "72",
        True,
    ),
    (INTEGER, "Natalia sold 26 clips altogether.", r"\boxed{25}", "25", False),
    (LETTER, "So B it is.", r"\boxed{A}", "A", False),
    (WORD, "The argument is therefore invalid.", r"\boxed{valid}", "valid", False),
    (INTEGER, r"In \boxed{}, as asked.", r"\boxed{72}", "72", True),
    (INTEGER, "", r"First \boxed{71}, then \boxed{72}. \boxed{}", "72", True),
    (LETTER, "", r"Heat flows, so \boxed{B}", "B", True),
    (LETTER, "Heat flows.", r"It is \boxed{\text{(B)}}.", "B", True),
    (INTEGER, r"\boxed{71}", r"\boxed{72}", "72", False),
    (INTEGER, r"\boxed{71 \text{ or } 72}", r"\boxed{72}", "72", False),
    (INTEGER, "The answer is 71.", r"\boxed{72}", "72", False),
    (INTEGER, "The answer is not 72.", r"\boxed{72}", "72", False),
    (INTEGER, "The answer is either one.", r"\boxed{72}", "72", False),
    (INTEGER, "71", r"\boxed{72}", "72", False),
    (INTEGER, "", "The answer is 72.", "72", False),
    (INTEGER, "", "72", "72", False),
    (INTEGER, "", r"\boxed{72}, no: \boxed{73}", "72", False),
    (INTEGER, "", r"\boxed{72}, no: \boxed{\frac{1}{2}}. The answer is 72.", "72", False),
    (INTEGER, "", r"\boxed{72} is wrong.", "72", False),
    (INTEGER, "", r"\boxed{72} and \boxed{7", "72", False),
    (LETTER, "The answer is either A or B.", r"\boxed{B}", "B", False),
    (LETTER, "", r"I am to answer in the form \boxed{X}, for example \boxed{A}.", "A", False),
    (LETTER, "", "The answer is (B).", "B", False),
    (LETTER, None, None, "B", False),
]


@pytest.mark.parametrize(("kind", "answer", "thinking", "target", "right"), CASES)
def test_which_place_counts(
    kind: AnswerKind, answer: str | None, thinking: str | None, target: str, right: bool
) -> None:
    graded = grade(kind, answer, target, ABCD if kind is LETTER else (), thinking)
    assert graded.right is right, graded


def test_without_its_thinking_an_answer_is_graded_alone() -> None:
    assert grade(INTEGER, "", "72").given is None


def test_the_thinking_of_an_output_is_what_the_model_told_of_it() -> None:
    output = ModelOutput.from_content("mockllm/model", "The end.")
    assert thinking_in(output) == ""
    output.message.content = [ContentReasoning(reasoning=r"\boxed{72}"), ContentText(text="Done.")]
    assert thinking_in(output) == r"\boxed{72}"
    assert thinking_in(ModelOutput()) == ""
