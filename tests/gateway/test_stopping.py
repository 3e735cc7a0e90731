"""Stop strings, however the answer is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.gateway.stopping import StopFilter

TEXT = st.text(alphabet="ab\né", max_size=30)
STOPS = st.lists(st.text(alphabet="ab\né", min_size=1, max_size=5), max_size=4)


def filtered(pieces: list[str], stops: list[str]) -> tuple[str, str | None]:
    """What comes through, and what stopped it."""
    stop = StopFilter(stops)
    told = ""
    for piece in pieces:
        told += stop.push(piece)
        if stop.hit:
            return told, stop.hit
    return told + stop.rest(), None


@pytest.mark.parametrize(
    ("pieces", "stops", "told", "hit"),
    [
        (["one END two"], ["END"], "one ", "END"),
        (["one E", "N", "D two"], ["END"], "one ", "END"),
        (["one E", "N", "X two"], ["END"], "one ENX two", None),
        (["one EN"], ["END"], "one EN", None),
        (["aaab"], ["aab"], "a", "aab"),
        (["a", "a", "a", "b"], ["aab"], "a", "aab"),
        (["abc"], ["c", "b"], "a", "b"),
        (["abcd"], ["abcd", "b"], "a", "b"),
        (["abcd"], ["cd", "bcd"], "a", "bcd"),
        (["END"], ["END"], "", "END"),
        ([""], ["END"], "", None),
        (["plain"], [], "plain", None),
        (["👍🏽 ok"], ["🏽"], "👍", "🏽"),
    ],
)
def test_cases(pieces: list[str], stops: list[str], told: str, hit: str | None) -> None:
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
    assert (stop.push("c"), stop.rest(), stop.hit) == ("", "", ".")


@settings(deadline=None)
@given(st.lists(TEXT, max_size=12), STOPS)
def test_any_cutting_gives_what_cutting_the_whole_gives(
    pieces: list[str], stops: list[str]
) -> None:
    whole = "".join(pieces)
    ends = [(at + len(stop), at, stop) for stop in stops if (at := whole.find(stop)) >= 0]
    _, cut, first = min(ends, default=(0, len(whole), None))
    assert filtered(pieces, stops) == (whole[:cut], first)
