"""Written arithmetic: the working ends in the value, and every column is true on its own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.bundled.families import columns

naturals = st.integers(0, 300_000)


@given(naturals, naturals)
def test_addition(a: int, b: int) -> None:
    check(*columns.add(a, b), expected=a + b)


@given(naturals, naturals)
def test_subtraction(a: int, b: int) -> None:
    check(*columns.subtract(max(a, b), min(a, b)), expected=abs(a - b))


@given(naturals, st.integers(0, 9))
def test_multiplication_by_a_digit(a: int, digit: int) -> None:
    check(*columns.multiply(a, digit), expected=a * digit)


def check(working: str, value: int, expected: int) -> None:
    assert value == expected
    assert re.findall(r"\d+", working)[-1] == str(value)
    for left, digit, kind, carried in re.findall(r"([\d+*-]+)=(\d) (carry|borrow) (\d)", working):
        carry = 10 * int(carried)
        assert eval(left) == (int(digit) + carry if kind == "carry" else int(digit) - carry)


def test_columns_read_as_on_paper() -> None:
    working, _ = columns.add(46, 38)
    assert working == "46+38: 6+8+0=4 carry 1, 4+3+1=8 carry 0, so 84"


def test_misuse_is_refused() -> None:
    with pytest.raises(AssertionError, match="negative"):
        columns.subtract(3, 5)
    with pytest.raises(AssertionError, match="one digit"):
        columns.multiply(3, 10)
