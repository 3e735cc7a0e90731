r"""Where an answer text says its answer: in a box, in a statement, or in its last line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from trigreason.answers import boxed, opened_box

_STATEMENT = re.compile(
    r"""\b(?:
        answer(?:\ choice|\ (?:to|for)\ [^.:\n]{1,60}?)?
        | (?:correct|right|best)\ (?:option|choice|letter|statement|sentence|number)
    )\b
    (?:[\s*_]*[:=] | [\s*_]+(?:is|would\ be|must\ be|should\ be)\b(?:[\s*_]*:)?)
    [\s*_#]*
    (?=(?P<said>[^\n]{1,1000}))                 # not consumed: it may hold the next statement""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    r"""The places of an answer text that may say the answer.

    Attributes:
        opened: everything after the last ``\boxed{``; None where no box is opened.
        box: what stands in the last box; None without one, or where it has no end.
        statements: for each "the answer is" or "Answer:", the rest of its line.
        lines: the lines that are not empty.
    """

    opened: str | None
    box: str | None
    statements: tuple[str, ...]
    lines: tuple[str, ...]

    def read(self, reader: Callable[[str], str | None]) -> str | None:
        """What ``reader`` makes of the place that counts; None where it makes nothing of it.

        The box, if one is opened. Else the last statement that is readable, else the last line.
        """
        if self.opened is not None:
            return None if self.box is None else reader(self.box)
        for place in (*reversed(self.statements), *self.lines[-1:]):
            answer = reader(place)
            if answer is not None:
                return answer
        return None


def answer_in(text: str) -> Answer:
    """The places of a text."""
    return Answer(
        opened=opened_box(text),
        box=boxed(text),
        statements=tuple(match["said"] for match in _STATEMENT.finditer(text)),
        lines=tuple(line for line in text.splitlines() if line.strip()),
    )
