"""Where a deliberate slip goes wrong, token by token: what a probe is trained to see.

The text alone says that a step was wrong by one word only, the hesitation after it. Telling a
probe on the last layer but one which tokens follow an error makes the model keep that knowledge;
noticing a slip and rating a step then need only look it up. Training alone uses the probe.
"""

from __future__ import annotations

from collections.abc import Sequence

from training.data import END
from training.judging import RIGHT, WRONG
from training.slips import AGAIN

Segments = tuple[tuple[str, float], ...]

FINE, FLAWED, UNKNOWN = 0, 1, -1
RATINGS = {str(RIGHT): FINE, str(WRONG): FLAWED}
JUDGED = f"\n\n{END}"


def flaw_marks(segments: Segments, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Per token of a document: FLAWED from where a slip first differs from the step put right.

    Learned tokens and a slip's tokens before that are FINE. Where a step is to be rated, what
    stands after it is FLAWED or FINE as the step is. All else is UNKNOWN.
    """
    marks = [UNKNOWN] * len(offsets)

    def mark(start: int, end: int, value: int) -> None:
        for token, (_, ends) in enumerate(offsets):
            if start < ends <= end:
                marks[token] = value

    if segments[1][0] in RATINGS:
        before, digit = segments[0][0], segments[1][0]
        mark(before.index(JUDGED), len(before), RATINGS[digit])
        return marks
    start = 0
    for index, (text, weight) in enumerate(segments):
        end = start + len(text)
        if weight > 0:
            mark(start, end, FINE)
        elif index > 0:
            right = segments[index + 2][0].removeprefix(AGAIN)
            differs = start + first_difference(text, right)
            mark(start, differs, FINE)
            mark(differs, end, FLAWED)
        start = end
    return marks


def first_difference(text: str, other: str) -> int:
    """How many characters at their start two texts share."""
    pairs = enumerate(zip(text, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(text), len(other)))


def error_sense(segments: Segments, noticing: float) -> Segments:
    """The same text; the word that notices a slip weighs `noticing` times as much."""
    heavier: list[tuple[str, float]] = []
    after_slip = False
    for index, (text, weight) in enumerate(segments):
        if after_slip and weight > 0:
            word, comma, rest = text.partition(",")
            heavier += [(word, noticing * weight), (comma + rest, weight)]
        else:
            heavier.append((text, weight))
        after_slip = index > 0 and weight == 0
    return tuple(heavier)
