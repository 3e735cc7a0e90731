"""Repetition: a model that goes round in circles, in any language.

Two signs, both read from the text alone:

- a *run*: the text ends in the same unit, several times in a row;
- the *same step*: a step that says what the step before it said, or what two of the steps shortly
  before it said (A B A B A B).

Rules and rows of a table, digits of a fraction, indentation and laughter are no runs: a unit must
have words in it, and a run a minimal length. A short step ("So:") never counts as the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from trigreason.reasoning.steps import StepEnd
from trigreason.reasoning.triggers import STEPS

TAIL = 640
"""A run is searched for in this many characters at the end of a text, which keeps it cheap."""

RUN_UNITS = 4
"""The least number of units in a run."""

RUN_LENGTH = 120
"""The least length of a run, in letters of an alphabet."""

STEP_LENGTH = 20
"""Shorter steps never count as the same (length in letters of an alphabet)."""

RECENT_STEPS = 8
"""How many standing steps the next one is compared with."""

EARLIER_TIMES = 2
"""How often a step must be among the recent ones to repeat them; just before it, once is enough."""

_IDEOGRAPH = re.compile("[\u2e80-\u9fff\uac00-\ud7af]")
_IDEOGRAPH_LENGTH = 3
"""A character of Chinese, Japanese or Korean says about as much as three letters."""

_PROBE = 16
"""The last characters of a run occur again one unit earlier: finding them gives the unit."""

AUTHOR_IS_DONE = frozenset({StepEnd.END_OF_THINKING, StepEnd.END_OF_STREAM})
"""A step that ends so is never a repetition, since its author ends the thinking with it."""


def repeated_run(text: str) -> str | None:
    """The unit that is repeated at the end of ``text``, or None.

    The unit ends where the text ends, so it can begin inside a word. Only the last ``TAIL``
    characters are searched, without white space at their end.
    """
    tail = text[-TAIL:].rstrip()
    probe = tail[-_PROBE:]
    shortest = _shortest_unit(tail)
    if len(probe) < _PROBE or shortest is None:
        return None
    at = len(tail) - _PROBE
    while (at := tail.rfind(probe, 0, at + _PROBE - 1)) >= 0:
        unit = tail[at + _PROBE :]
        if len(unit) * (RUN_UNITS - 1) > len(tail):
            return None
        if len(unit) >= shortest and tail.endswith(unit * (RUN_UNITS - 1)):
            units = max(RUN_UNITS, -(-RUN_LENGTH // _length(unit)))
            if tail.endswith(unit.lstrip() + unit * (units - 1)):
                return unit
    return None


@dataclass(frozen=True, slots=True)
class RepetitionGuard:
    """Closes the thinking after ``repeats`` repeating steps in a row, by any author; 0 is off."""

    repeats: int = 3

    def __post_init__(self) -> None:
        STEPS.check("repeats (repeating steps)", self.repeats)

    @property
    def is_off(self) -> bool:
        return self.repeats == 0

    def fires(self, count: int) -> bool:
        """Whether ``count`` repeating steps are enough to close the thinking."""
        return count >= self.repeats and not self.is_off


def normalised(text: str) -> str:
    """The text without differences of case, white space and kind of character (NFKC)."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def says_little(said: str) -> bool:
    """Whether a step's :func:`normalised` text is too short to count as repeated."""
    return _length(said) < STEP_LENGTH


def _length(text: str) -> int:
    """The length of a text, in letters of an alphabet."""
    return len(text) + (_IDEOGRAPH_LENGTH - 1) * len(_IDEOGRAPH.findall(text))


def _shortest_unit(tail: str) -> int | None:
    """The least length of a unit with words in it; None if the whole tail has none.

    Words have two different letters or one ideograph, unlike ``0x00`` or a board's crosses.
    """
    letters: set[str] = set()
    for length, character in enumerate(reversed(tail), start=1):
        if character.isalpha():
            letters.add(character)
            if len(letters) > 1 or _IDEOGRAPH.match(character):
                return length
    return None
