"""Stop strings, however the answer is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.gateway.stopping import StopFilter

TEXT = st.text(alphabet="ab\né", max_size=30)
STOPS = st.lists(st.text(alphabet="ab\né", min_size=1, max_size=5), max_size=4)


def filtered(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    """What comes through, and whether it was stopped."""
    stop = StopFilter(stops)
    told = ""
    for piece in pieces:
        told += stop.push(piece)
        if stop.hit:
            return told, True
    return told + stop.rest(), False


@pytest.mark.parametrize(
    ("pieces", "stops", "told", "hit"),
    [
        (["one END two"], ["END"], "one ", True),
        (["one E", "N", "D two"], ["END"], "one ", True),
        (["one E", "N", "X two"], ["END"], "one ENX two", False),
        (["one EN"], ["END"], "one EN", False),
        (["aaab"], ["aab"], "a", True),
        (["a", "a", "a", "b"], ["aab"], "a", True),
        (["abc"], ["c", "b"], "a", True),
        (["abcd"], ["abcd", "b"], "a", True),
        (["abcd"], ["cd", "bcd"], "a", True),
        (["END"], ["END"], "", True),
        ([""], ["END"], "", False),
        (["plain"], [], "plain", False),
        (["👍🏽 ok"], ["🏽"], "👍", True),
    ],
)
def test_cases(pieces: list[str], stops: list[str], told: str, hit: bool) -> None:
    assert filtered(pieces, stops) == (told, hit)


def test_text_that_can_begin_no_stop_comes_at_once() -> None:
    stop = StopFilter(["\n\n", "END"])
    assert stop.push("The answer") == "The answer"
    assert stop.push(" is\n") == " is"
    assert stop.push("seven E") == "\nseven "
    assert stop.rest() == "E"


def test_nothing_comes_behind_a_stop() -> None:
    stop = StopFilter(["."])
    assert stop.push("a.b") == "a"
    assert (stop.push("c"), stop.rest(), stop.hit) == ("", "", True)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=12), STOPS)
def test_any_cutting_gives_what_cutting_the_whole_gives(
    pieces: list[str], stops: list[str]
) -> None:
    whole = "".join(pieces)
    ends = [(at + len(stop), at) for stop in stops if (at := whole.find(stop)) >= 0]
    assert filtered(pieces, stops) == ((whole[: min(ends)[1]], True) if ends else (whole, False))
