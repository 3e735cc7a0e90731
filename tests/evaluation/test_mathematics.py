"""Expressions of mathematics: what comes to the same, what does not, and what takes too long."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trigreason.evaluation.grading import AnswerKind, grade, mathematics

MATH = AnswerKind.MATH

CASES = [
    (r"\boxed{\frac{1}{2}}", r"\frac12", True),
    (r"\boxed{0.5}", r"\frac{1}{2}", True),
    (r"\boxed{\dfrac{2}{4}}", r"\frac{1}{2}", True),
    (r"The answer is $\frac{1}{2}$.", r"\frac{1}{2}", True),
    (r"**Answer:** \(\frac{1}{2}\), as shown.", r"\frac{1}{2}", True),
    (r"<answer>\frac{1}{2}</answer>", r"\frac{1}{2}", True),
    (r"\boxed{x + 1}", "1+x", True),
    (r"\boxed{(x+1)^2}", "x^2+2x+1", True),
    (r"\boxed{y = 2x+3}", "y = 2x + 3", True),
    (r"\boxed{-2, 1}", "1,-2", True),
    (r"\boxed{(2, 4)}", "(2,4)", True),
    (r"\boxed{10080}", r"10,\!080", True),
    (r"\boxed{\text{(C)}}", r"\text{(C)}", True),
    (r"\boxed{\text{Evelyn}}", r"\text{Evelyn}", True),
    (r"\boxed{90}", r"90^\circ", True),
    (r"\boxed{36}", r"\$36", True),
    (r"\boxed 5", "5", True),
    (r"\boxed{\frac{1}{2}} \boxed{}", r"\frac{1}{2}", True),
    (r"\boxed{\frac{1}{3}}", r"\frac{1}{2}", False),
    (r"\boxed{0.33}", r"\frac{1}{3}", False),
    (r"\boxed{\approx 5}", "5", False),
    (r"\boxed{\neq 5}", "5", False),
    (r"\boxed{5 \text{ or } 6}", "5", False),
    (r"\boxed{5, 6}", "5", False),
    (r"\boxed{x > 5}", "5", False),
    (r"\boxed{\pm 5}", "5", False),
    (r"\boxed{(3, 4)}", "(3,4]", False),
    (r"\boxed{(4, 2)}", "(2,4)", False),
    (r"\boxed{\text{(D)}}", r"\text{(C)}", False),
    (r"\boxed{\text{east}}", r"\text{west}", False),
    (r"\boxed{1 + \sqrt{19}}", r"1 \pm \sqrt{19}", False),
    (r"The answer is not $\frac{1}{2}$.", r"\frac{1}{2}", False),
    (r"First \boxed{5}, no: \boxed{6}", "5", False),
    (r"\boxed{2x = 5}", "5", False),
    (r"\boxed{x = 5}", "5", True),
    (r"\boxed{m + n = 5}", "5", True),
    (r"\boxed{5 \text{ or more}}", "5", False),
    (r"\boxed{5 \text{ dozens}}", "5", False),
    (r"\boxed{2 \text{ and } 3}", "2,3", True),
    (r"\boxed{x = 2 \text{ or } x = 3}", "2,3", True),
    (r"\boxed{5 \text{ apples}}", "5", True),
    ("The answer is 5. No wait, 6.", "5", False),
    ("The answer is 5. No wait, 6.", "6", True),
    ("Option B is correct. Actually, 5.", "5", False),
    (r"\boxed{}", "0", False),
    ("We get 5 of them and go on to the next case.", "5", False),
    ("", "5", False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "target", "right"), CASES)
def test_grades_agree_with_a_person(text: str, target: str, right: bool) -> None:
    graded = grade(MATH, text, target)
    assert graded.right is right, graded


@pytest.mark.slow
def test_threads_are_served_one_after_the_other() -> None:
    """math-verify's own time limit refuses to work in any thread but the main one."""
    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(lambda n: grade(MATH, rf"\boxed{{{n}/4}}", r"\frac{1}{2}").right, range(8))
        )
    assert found == [n == 2 for n in range(8)]


@pytest.mark.slow
def test_an_expression_that_takes_forever_is_wrong_and_the_next_one_is_graded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grade(MATH, r"\boxed{0.25}", r"\frac{1}{4}")  # the process is there
    monkeypatch.setattr(mathematics, "SECONDS", 2.0)
    begun = time.monotonic()
    assert not grade(MATH, r"\boxed{9^{9^{9^{9}}} - 1}", "4").right
    assert time.monotonic() - begun < 60
    monkeypatch.undo()
    assert grade(MATH, r"\boxed{0.25}", r"\frac{1}{4}").right


def test_a_process_that_does_not_start_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathematics, "_comparer", mathematics._Comparer())
    monkeypatch.setattr("sys.executable", "/bin/true")
    with pytest.raises(RuntimeError, match="does not start; in the project's folder"):
        grade(MATH, r"\boxed{0.25}", r"\frac{1}{4}")
