"""The judge's score."""

from __future__ import annotations

import math

import pytest

from trigreason.reasoning import Alternative, Scoring, Token, read_score


def alternatives(**probabilities: float) -> tuple[Alternative, ...]:
    """``_7=0.5`` stands for the token "7" with probability one half, ``__7`` for " 7"."""
    return tuple(
        Alternative(name[1:].replace("_", " "), math.log(p)) for name, p in probabilities.items()
    )


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *((str(digit), digit) for digit in range(10)),
        (" 7", 7),
        ("7\n", 7),
        ("", None),
        (" ", None),
        ("10", None),
        ("-1", None),
        ("7.5", None),
        ("seven", None),
        ("\u0667", None),  # an Arabic seven
        ("\u00b2", None),  # superscript two
        ("\uff17", None),  # a full-width seven
    ],
)
def test_greedy_reads_the_digit(text: str, score: int | None) -> None:
    assert read_score(Token(text)) == score


@pytest.mark.parametrize(
    ("written", "top", "score"),
    [
        ("7", alternatives(_7=1.0), 7),
        ("7", alternatives(_7=0.5, _9=0.5), 8),
        ("9", alternatives(_0=0.25, _8=0.75), 6),
        ("7", alternatives(_7=0.2, _9=0.2, _Well=0.6), 8),  # other tokens weigh nothing
        ("7", alternatives(_7=0.3, __7=0.3, _1=0.6), 4),  # "7" and " 7" are the same digit
        ("Well", alternatives(_Well=0.9, _4=0.1), 4),
        ("7", alternatives(_Well=0.9), 7),  # no digit reported: the one that was written
        ("7", (), 7),
        ("Well", alternatives(_Well=1.0), None),
        ("Well", (), None),
    ],
)
def test_weighted_takes_the_mean_digit(
    written: str, top: tuple[Alternative, ...], score: float | None
) -> None:
    assert read_score(Token(written, top=top), Scoring.WEIGHTED) == pytest.approx(score)


def test_greedy_ignores_the_alternatives() -> None:
    assert read_score(Token("3", top=alternatives(_9=1.0)), Scoring.GREEDY) == 3
