"""The boxed answer, and whether it is right."""

from __future__ import annotations

import pytest

from trigreason.answers import boxed, is_right


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{(A)}", "(A)"),
        (r"So \boxed{1}, no: \boxed{ 2 }.", "2"),
        (r"\boxed{\frac{1}{2}} of it", r"\frac{1}{2}"),
        (r"\boxed{a{b}c} and {d}", "a{b}c"),
        (r"\boxed{] } >}.", "] } >"[:1]),
        (r"\boxed{{ [ }", "{ ["),
        (r"\boxed{) \} >}", r") \} >"),
        (r"\boxed{\{ 1 \}} and }", r"\{ 1 \}"),
        (r"\boxed{1 \\} 2}", r"1 \\"),
        (r"\boxed {3}", "3"),
        (r"\boxed{3} and \boxed{4", None),
        (r"\boxed{}", ""),
        (r"\boxed{3", None),
        ("The answer is 3.", None),
        ("", None),
    ],
)
def test_boxed(text: str, answer: str | None) -> None:
    assert boxed(text) == answer


@pytest.mark.parametrize(
    ("text", "target", "right"),
    [
        (r"\boxed{(A)}", "(A)", True),
        (r"\boxed{A}", "(A)", True),
        (r"\boxed{(a)}", "A", True),
        (r"\boxed{ (B) }", "(A)", False),
        (r"\boxed{true}", "True", True),
        (r"\boxed{] > )}", "]>)", True),
        (r"\boxed{10}", "1", False),
        (r"\boxed{()}", "()", True),
        (r"\boxed{(12)}", "12", False),
        (r"\boxed{}", "0", False),
        ("(A)", "(A)", False),
    ],
)
def test_is_right(text: str, target: str, right: bool) -> None:
    assert is_right(text, target) is right
