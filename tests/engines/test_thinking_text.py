"""One text out of two fields, however the server cuts it up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.engines.base import Prefix
from trigreason.engines.thinking_text import SEAM, AssistantTurn, Beginning, JoinedText

OPEN = Prefix((), "So ")


def told(prefix: Prefix, events: Sequence[tuple[str, str]], **how: bool) -> str:
    """The text of events, each a piece of thinking and a piece of answer."""
    text = JoinedText(AssistantTurn(prefix), **how)
    pieces = [piece for thinking, answer in events for piece in text.add(thinking, answer)]
    return "".join([*pieces, text.rest()])


@pytest.mark.parametrize(
    ("prefix", "thought", "said", "is_open"),
    [
        (Prefix((), ""), "", "", True),
        (Prefix((), "a\n\nb"), "a\n\nb", "", True),
        (Prefix((), "a</think>\n\nb"), "a", "\n\nb", False),
        (Prefix((), "a</think>b</think>c"), "a", "b</think>c", False),
        (Prefix((), "b", thinking=False), None, "b", False),
        (Prefix((), "<think>\na", thinking=False), "a", "", True),
        (Prefix((), "<think>a</think>b", thinking=False), "a", "b", False),
    ],
)
def test_a_turn_taken_apart(prefix: Prefix, thought: str | None, said: str, is_open: bool) -> None:
    turn = AssistantTurn(prefix)
    assert (turn.thought, turn.said, turn.is_open) == (thought, said, is_open)


CASES = {
    "an answer behind thinking": ([("x", ""), ("", "y")], "x</think>\n\ny"),
    "an answer with its line ends": ([("x", ""), ("", "\n"), ("", "\ny")], "x</think>\n\ny"),
    "both in one event": ([("x", "y")], "x</think>\n\ny"),
    "the model wrote the tag": ([("x</thi", ""), ("nk>\n\n", ""), ("", "y")], "x</think>\n\ny"),
    "thinking alone": ([("x", ""), ("", "")], "x"),
    "one field for all": ([("", "x"), ("", "</think>y")], "x</think>y"),
    "a second answer": ([("x", ""), ("", "y"), ("", "z")], "x</think>\n\nyz"),
    "a restart": ([("<think>\nx", "")], "x"),
    "a restart without its newline": ([("<think>x", "")], "x"),
    "a restart and nothing more": ([("<th", ""), ("ink>", "")], ""),
    "no restart after all": ([("<th", ""), ("is", "")], "<this"),
    "half a restart": ([("<th", "")], "<th"),
    "half a restart, then an answer": ([("<th", ""), ("", "y")], "<th</think>\n\ny"),
    "a restart later on": ([("x", ""), ("<think>", "")], "x<think>"),
    "a restart among answers": ([("", "<think>\nx")], "x"),
}


@pytest.mark.parametrize(("events", "text"), CASES.values(), ids=CASES)
def test_open_thinking_goes_on(events: list[tuple[str, str]], text: str) -> None:
    assert told(OPEN, events) == text


def test_where_fields_are_kept_apart_an_answer_at_once_ends_the_thinking() -> None:
    assert told(OPEN, [("", "y")], apart=True) == "</think>\n\ny"
    assert told(OPEN, [("", "y")]) == "y"
    assert told(Prefix((), "x</think>\n\n"), [("", "y")], apart=True) == "y"
    assert told(Prefix((), "", thinking=False), [("", "y")], apart=True) == "y"


def test_a_tag_begun_in_the_prefix_is_ended_by_the_stream() -> None:
    assert told(Prefix((), "So.</thi"), [("nk>\n\n", ""), ("", "y")]) == "nk>\n\ny"


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([("So ", ""), ("x", "")], "x"),
        ([("So x", "")], "x"),
        ([("S", ""), ("o", ""), (" x", "")], "x"),
        ([("Say", "")], "Say"),
        ([("So", ""), ("", "y")], "So</think>\n\ny"),
        ([("So", "")], "So"),
        ([("x", "")], "x"),
    ],
)
def test_an_echo_is_left_out(events: list[tuple[str, str]], text: str) -> None:
    assert told(OPEN, events, apart=True, echoes=True) == text


def test_an_echo_of_an_answer() -> None:
    begun = Prefix((), "So.\n</think>\n\nIt ")
    for events in ([("So.\n", ""), ("", "\n\nIt "), ("", "is")], [("", "\n\nIt is")], [("", "is")]):
        assert told(begun, events, apart=True, echoes=True) == "is"


texts = st.text(alphabet="<think>/ é🙂\n", max_size=30)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def cut_up(text: str, lengths: Sequence[int]) -> list[str]:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = lengths[turn % len(lengths)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


@given(texts, texts, sizes, st.booleans(), st.booleans())
def test_the_same_text_however_it_is_cut_up(
    thinking: str, answer: str, lengths: list[int], apart: bool, echoes: bool
) -> None:
    whole = [(thinking, ""), ("", answer)]
    pieces = [(piece, "") for piece in cut_up(thinking, lengths)]
    pieces += [("", piece) for piece in cut_up(answer, lengths)]
    how = {"apart": apart, "echoes": echoes}
    for prefix in (OPEN, Prefix((), "So.</think>a"), Prefix((), "a", thinking=False)):
        assert told(prefix, pieces, **how) == told(prefix, whole, **how)


@given(texts, texts, sizes)
def test_nothing_is_lost_and_one_seam_put_in(
    thinking: str, answer: str, lengths: list[int]
) -> None:
    pieces = [(piece, "") for piece in cut_up("x" + thinking, lengths)]
    pieces += [("", piece) for piece in cut_up(answer, lengths)]
    needs_seam = bool(answer) and "</think>" not in thinking
    seam = "</think>" if answer.startswith("\n") else SEAM
    seam = seam if needs_seam else ""
    assert told(OPEN, pieces) == f"x{thinking}{seam}{answer}"


@given(texts, texts, sizes)
def test_a_beginning_is_taken_off_or_nothing(unwanted: str, text: str, lengths: list[int]) -> None:
    beginning = Beginning(unwanted)
    left = "".join(map(beginning.take, cut_up(text, lengths))) + beginning.rest()
    assert left == text.removeprefix(unwanted)
