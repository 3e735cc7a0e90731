r"""Finds what changes the value of a number: words after it, or an equation yet to be solved."""

from __future__ import annotations

import re

MULTIPLYING = (
    r"tens?|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|lakhs?|crores?|mil|mn|bn|"
    r"twice|thrice|doubled|tripled|halved|fold|"
    r"hal(?:f|ves)|thirds?|quarters?|ths|"
    r"(?:four|fif|six|seven|eigh|nin|ten|hundred|thousand|million)ths?"
)
HEDGING = r"approx|approximately|about|roughly|least|most|minimum|maximum|ish|upwards?|above|below"
_OPEN_END = r"(?:or|and)\s+(?:more|so|less|fewer|above|below|up|over|under|higher|lower)"
_HEDGE = re.compile(
    rf"\s*[,(]?\s*(?:{_OPEN_END}|give or take|more or less|plus or minus|(?:at )?(?:{HEDGING}))\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\s*,?\s*or\s+[$\\(]*(?P<other>-?[0-9][0-9,]*)[$\\)]*\s*(?:[.!?]|\Z)")
_CHANGING = re.compile(rf"\b(?:{_OPEN_END}|{MULTIPLYING}|{HEDGING})\b", re.IGNORECASE)

_MACRO = re.compile(r"\\[A-Za-z]+")
_UNDONE = re.compile(r"\\(?:frac|dfrac|tfrac|sqrt|cdot|times|div|d?binom)(?![A-Za-z])|[0-9+*/^!-]")
"""Operations on a variable that show that an equation is not solved for it."""
_VALUE_OF = re.compile(r"[A-Za-z]'*\((?:\s*-?[0-9.]+\s*,?)+\)|_\{[^{}]*\}|_[0-9A-Za-z]")
"""A function's value or an index: ``f(3)`` and ``x_1`` each name one number."""
_ASKED_FOR = re.compile(r"\\(?:[lr](?:floor|ceil)|[bp]?mod|log|ln|sin|cos|tan)(?![A-Za-z])|mod")
"""Functions that make a side a value that a question may ask for, such as a remainder."""


def words_that_change(text: str) -> list[str]:
    """The words that change the value of a number, in order and in lower case."""
    return [word.casefold() for word in _CHANGING.findall(text)]


def is_hedged(behind: str, number: str) -> bool:
    """Whether the text after a number makes it a bound or a rough value, or names another number.

    Args:
        behind: the text from the end of the clause with the number.
        number: the number in digits.
    """
    other = _ALTERNATIVE.match(behind)
    if other is not None:
        return other["other"].replace(",", "") != number
    return _HEDGE.match(behind) is not None


def is_unsolved(equation: str) -> bool:
    """Whether an equation for a variable, such as ``2x = 25``, is not solved for it.

    A side of several letters (``m + n``, ``AB^2``) may be what was asked for, and an equation with
    a variable alone on one side is solved.
    """
    *sides, _ = equation.split("=")
    return any(map(_has_variable_inside, sides)) and not any(map(_is_variable, sides))


def _has_variable_inside(side: str) -> bool:
    side = _VALUE_OF.sub("", side)
    if _ASKED_FOR.search(side) or not _UNDONE.search(side):
        return False
    return len(set(_letters(side))) == 1


def _is_variable(side: str) -> bool:
    side = _VALUE_OF.sub(lambda match: "x" if "(" in match[0] else "", side)
    return len(_letters(side)) == 1 and not _UNDONE.search(side)


def _letters(side: str) -> str:
    return "".join(char for char in _MACRO.sub(" ", side) if char.isalpha())
