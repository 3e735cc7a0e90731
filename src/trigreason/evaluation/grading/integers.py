r"""Reads integers as models write them.

Fractions, powers and sums are not evaluated: they count as no integers, even if they equal one.
"""

from __future__ import annotations

import re

from trigreason.evaluation.grading.plain import plain
from trigreason.evaluation.grading.quantities import (
    HEDGING,
    MULTIPLYING,
    is_hedged,
    is_unsolved,
)

_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)\ ?(?:(?:US)?[$€£¥]\ ?)?
    (?P<digits>[0-9]{1,3}(?:,\ ?[0-9]{3})+ | [0-9]{1,3}(?:\ [0-9]{3})+ | [0-9]+)
    (?:\.0*)?                                        # 25.0 is integral
    (?:_\{?10\}?)?                                   # a base other than ten makes another number
    (?:
        \ ?(?:%|°|\^?\{?\\circ\}?|\\degree)
        | \^?\{?\ ?(?:st|nd|rd|th)\}?
        | (?P<unit>(?:\ ?[A-Za-z]{2,}|\ [A-Za-z])(?:[ ./·-][A-Za-z]+)*|\ ?\([A-Za-z ]+\))
          (?:\^?\{?[23²³]\}?)?
    )?""",
    re.VERBOSE,
)
_CHANGES_IT = re.compile(
    r"\b(?:or|and|to|times|over|by|plus|minus|mod|modulo|choose|squared|cubed|factorial|pi|sqrt|"
    rf"{MULTIPLYING}|{HEDGING}|"
    r"(?:than|of) [A-Za-z]\Z|"
    r"not|wrong|incorrect|base|"
    r"is|are|was|were|be|has|have|had|can|cannot|could|will|would|does|do|did)\b"
    r"|\A (?-i:(?![mgshltcdLAVNJCKFWTHS])[A-Za-z])\b|\A(?:[abnxyz]{2}|ish)\Z",
    re.IGNORECASE,
)
"""Words after a number that change its value or show that it only occurs in a sentence.

A single letter is a variable unless it is a unit.
"""
_LEAD = re.compile(
    r"(?:(?:the )?(?:final )?answer(?: is)? ?[:=]? ?)?(?:\([A-E]\) ?(?=\S))?", re.IGNORECASE
)
r"""What may stand before the number: words, and a label as in ``\textbf{(C)}\ 25``."""
_MODULUS = re.compile(
    r"\ ?(?:\\p?mod(?:\ ?\{\ ?(?P<braced>[0-9]+)\ ?\}|\ (?P<bare>[0-9]+))"
    r"|\((?:\\?mod)\ (?P<bracketed>[0-9]+)\))\Z"
)
_CONGRUENT = re.compile(r"\\equiv(?![A-Za-z])|≡")
_NO_EQUATION = re.compile(r"[,;<>!≠≈~]|\b(?:and|or)\b|\\(?:neq?|leq?|geq?|lt|gt|approx|sim|not)\b")
_CLAUSE = re.compile(
    r"[.,;!?](?=\s)|\s(?:because|since|as|so|for|which|where|with)\s|\s\((?!\\?mod\b)"
)


def mentioned(text: str) -> bool:
    """Whether a statement mentions a number, readable or not."""
    return any(char.isdigit() for char in text)


def said(text: str) -> str | None:
    """The integer that a text's first clause gives; None if there is none or the text hedges it."""
    clause = _CLAUSE.split(text, maxsplit=1)[0]
    number = integer(clause)
    return None if number is None or is_hedged(text[len(clause) :], number) else number


def integer(text: str) -> str | None:
    r"""The integer that a text consists of, in digits without leading zeros; else None.

    It is read without a unit after it, thousands separators, an equation's other side, zeros after
    the decimal point, and the modulus after a residue below it. The result is a string, as the
    number of digits has no bound.
    """
    bare = plain(text)
    bare = _solved(bare[lead.end() :] if (lead := _LEAD.match(bare)) else bare).strip()
    modulus = _MODULUS.search(bare)
    if modulus is not None:
        bare = bare[: modulus.start()]
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    number = _NUMBER.fullmatch(bare.strip())
    if number is None or _CHANGES_IT.search(number["unit"] or ""):
        return None
    digits = re.sub("[, ]", "", number["digits"]).lstrip("0") or "0"
    sign = "-" if number["sign"] == "-" and digits != "0" else ""
    if modulus is not None and (sign or not _below(digits, modulus[modulus.lastgroup or 0])):
        return None
    return sign + digits


def _below(digits: str, modulus: str) -> bool:
    """Whether the first number is smaller; both are strings of digits, of any length."""
    modulus = modulus.lstrip("0")
    return (len(digits), digits) < (len(modulus), modulus)


def _solved(text: str) -> str:
    r"""The value of ``x = 25``, ``25 = x``, ``20 + 5 = 25``, ``\equiv 25``; else the text."""
    *sides, value = _CONGRUENT.sub("=", text).split("=")
    if not sides:
        return text
    if len(sides) == 1 and not any(char.isdigit() for char in value):
        sides, value = [value], sides[0]
    if any(map(_NO_EQUATION.search, sides)) or is_unsolved(text):
        return text
    return value
