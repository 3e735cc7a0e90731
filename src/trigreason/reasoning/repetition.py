"""Repetition: a model that goes round in circles, in whatever language it thinks.

Two signs, both read from the text alone:

- a *run*: the text ends in one and the same unit, again and again;
- the *same step*: a step that says what the step before it said, or what two of the steps shortly
  before it said (A B A B A B).

Rules and rows of a table, digits of a fraction, indentation and laughter are no runs: a unit has
words in it, and a run some length. A step that says little ("So:") is never the same as another.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from trigreason.reasoning.steps import StepEnd
from trigreason.reasoning.triggers import STEPS

TAIL = 640
"""Characters at the end of a text in which a run is looked for, so that looking stays cheap."""

RUN_UNITS = 4
"""Times that a unit stands in a row, at least, before that is a run."""

RUN_LENGTH = 120
"""And the length of all of them together, at least, in letters of an alphabet."""

STEP_LENGTH = 20
"""The length from which on two steps can be the same, in letters of an alphabet."""

RECENT_STEPS = 8
"""Standing steps that the next one is compared with."""

EARLIER_TIMES = 2
"""Times that a step stands among those before it is the same as they, if not just before it."""

_IDEOGRAPH = re.compile("[\u2e80-\u9fff\uac00-\ud7af]")
_IDEOGRAPH_LENGTH = 3
"""A character of Chinese, Japanese or Korean says about as much as three letters."""

_PROBE = 16
"""Characters that stand once more in every run, a unit earlier: finding them finds the unit."""

AUTHOR_IS_DONE = frozenset({StepEnd.END_OF_THINKING, StepEnd.END_OF_STREAM})
"""How a step ends that is never a repetition: its author ends the thinking with it."""


def repeated_run(text: str) -> str | None:
    """The unit that stands again and again at the end of ``text``, or None.

    The unit is given as the text ends in it, so it can begin inside a word. Looks at no more than
    the last ``TAIL`` characters, and not at white space at their end.
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
    """Closes the thinking after ``repeats`` repeating steps, whoever wrote them, with none between
    that says something new; repeats = 0 switches the guard off.
    """

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
    """What a text says, whatever its case, its white space and its kind of characters."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def says_little(said: str) -> bool:
    """Whether what a step says, as :func:`normalised` has it, is too short to be said again."""
    return _length(said) < STEP_LENGTH


def _length(text: str) -> int:
    """How much a text says, in letters of an alphabet."""
    return len(text) + (_IDEOGRAPH_LENGTH - 1) * len(_IDEOGRAPH.findall(text))


def _shortest_unit(tail: str) -> int | None:
    """How long a unit is at least, so that it has words in it: two letters that differ or one
    ideograph, which is more than ``0x00`` or the crosses of a board. None where nothing has.
    """
    letters: set[str] = set()
    for length, character in enumerate(reversed(tail), start=1):
        if character.isalpha():
            letters.add(character)
            if len(letters) > 1 or _IDEOGRAPH.match(character):
                return length
    return None
