"""What of a stream is given out, and when: steps held back or not, answers, half characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.events import AnswerText, Event, ThinkingText
from trigreason.reasoning import Author, StepCutter, StepEnd, Token, join_text
from trigreason.running.writing import AnswerWriter, StretchWriter

HALVES = "".join(map(chr, (0xDCF0, 0xDC9F))), "".join(map(chr, (0xDC98, 0xDC80)))
"""The two halves of an emoji, as tokens hold them."""


def texts(events: Sequence[Event]) -> list[str]:
    return [each.text for each in events if isinstance(each, ThinkingText | AnswerText)]


# Answers


@pytest.mark.parametrize(
    "text",
    [
        "A model ends its thinking with `</think>`.",
        'It writes "<think>" first.',
        "The tag (\u201c</think>\u201d) closes it.",
        "</think>\n\n```\n<think>\n2 + 2\n</think>\n```\nis a template.",
    ],
)
def test_a_quoted_tag_is_text(text: str) -> None:
    for size in (1, 3, len(text)):
        writer = AnswerWriter(Author.SRM, room=1000)
        for start in range(0, len(text), size):
            writer.push(text[start : start + size])
        writer.finish()
        assert writer.text == text.removeprefix("</think>\n\n")


@pytest.mark.parametrize(
    ("text", "given_out"),
    [
        ('It is "4"</think>', 'It is "4"'),
        ("It is `x`\n</think>\n\n4", "It is `x`\n\n\n4"),
        ("```\n4\n```\n</think>", "```\n4\n```"),
        ("It's <think>4", "It's 4"),
    ],
)
def test_a_tag_behind_what_was_quoted_is_none(text: str, given_out: str) -> None:
    writer = AnswerWriter(Author.SRM, room=100)
    writer.push(text)
    writer.finish()
    assert writer.text == given_out


@pytest.mark.parametrize(
    ("pushed", "given_out"),
    [
        (["It", " is", " 3."], ["It", " is", " 3."]),
        (["\n\n", "  It"], ["It"]),
        (["It", "\n", "\n", "is"], ["It", "\n\nis"]),
        (["It ", "\n\n"], ["It"]),
        (["\n", " "], []),
        (["a", *HALVES], ["a", "😀"]),
        ([HALVES[0]], ["\ufffd"]),
        (["", "a", ""], ["a"]),
        (["</think>\n\n", "It"], ["It"]),
        (["It", " is", "\n</thi", "nk>", "\n3"], ["It", " is", "\n\n3"]),
        (["<think>\nHm.\n</think>", "3"], ["Hm.", "\n3"]),
        (["a <", "b"], ["a", " <b"]),
    ],
)
def test_answers(pushed: list[str], given_out: list[str]) -> None:
    writer = AnswerWriter(Author.SRM, room=100)
    events = [event for text in pushed for event in writer.push(text)] + writer.finish()
    assert texts(events) == given_out
    assert writer.text == "".join(given_out)
    assert writer.by == {Author.SRM: len(pushed)}


@given(st.text(alphabet="ab \n😀é"), st.lists(st.integers(0, 40), max_size=12).map(sorted))
def test_an_answer_is_its_text_without_white_space_around(text: str, cuts: list[int]) -> None:
    """Cut into pieces of bytes anywhere, also inside characters."""
    data = text.encode()
    edges = [0, *(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    writer = AnswerWriter(Author.SRM, room=100)
    for piece in pieces:
        for event in writer.push(as_token_text(piece)):
            assert not any("\udc80" <= char <= "\udcff" for each in texts([event]) for char in each)
    writer.finish()
    assert writer.text == text.strip()


def as_token_text(piece: bytes) -> str:
    """Text as a token holds it: what is no whole character stands as escaped bytes."""
    return piece.decode("utf-8", "surrogateescape")


def test_room() -> None:
    writer = AnswerWriter(Author.SRM, room=2)
    writer.push("remainder", tokens=0)
    writer.push("a")
    assert writer.room == 1
    writer.push("b")
    assert writer.room == 0


# Stretches


def stretch(pieces: Sequence[str], *, as_it_comes: bool) -> list[list[str]]:
    """The thinking given out after each token, and at the end."""
    writer = StretchWriter(StepCutter(Author.LRM), as_it_comes=as_it_comes)
    given_out = []
    for piece in pieces:
        events: list[Event] = []
        for step in writer.cutter.push(Token(piece)):
            events += writer.show_rest(step)
        given_out.append(texts([*events, *writer.show()]))
    rest = [event for step in writer.cutter.flush() for event in writer.show_rest(step)]
    return [*given_out, texts(rest)]


@pytest.mark.parametrize(
    ("pieces", "as_it_comes", "held_back"),
    [
        (["a", " b", "\n\n"], [["a"], [" b"], ["\n\n"], []], [[], [], ["a b\n\n"], []]),
        (["a\n\nb"], [["a\n\n", "b"], []], [["a\n\n"], ["b"]]),
        (["a", "</thi", "s"], [["a"], [], ["</this"], []], [[], [], [], ["a</this"]]),
        (["a", "</think", ">"], [["a"], [], [], []], [[], [], ["a"], []]),
        (["a", *HALVES], [["a"], [], ["😀"], []], [[], [], [], ["a😀"]]),
    ],
)
def test_thinking(
    pieces: list[str], as_it_comes: list[list[str]], held_back: list[list[str]]
) -> None:
    assert stretch(pieces, as_it_comes=True) == as_it_comes
    assert stretch(pieces, as_it_comes=False) == held_back


@given(st.lists(st.sampled_from(["a", "\n", "\n\n", " ", "</", "think", ">", "<", *HALVES])))
def test_text_given_out_is_never_taken_back(pieces: list[str]) -> None:
    writer = StretchWriter(StepCutter(Author.LRM, max_tokens=4), as_it_comes=True)
    given_out, steps = "", ""
    for piece in pieces:
        for step in writer.cutter.push(Token(piece)):
            given_out += "".join(texts(writer.show_rest(step)))
            steps += step.text
            assert given_out == steps
        given_out += "".join(texts(writer.show()))
        if writer.cutter.closed:
            return
    for step in writer.cutter.flush(StepEnd.CUT_OFF):
        given_out += "".join(texts(writer.show_rest(step)))
    assert join_text([given_out]) == given_out


# Going on after a failure


@pytest.mark.parametrize("wordless", [0, 3, 6])
def test_tokens_without_text_are_not_written_anew(wordless: int) -> None:
    cutter, answer = StepCutter(Author.SRM), AnswerWriter(Author.SRM, room=512)
    for piece in ["aa", as_token_text("é".encode()[:1]), *[""] * wordless]:
        cutter.push(Token(piece))
        answer.push(piece)
    assert cutter.take_back() == answer.take_back() == 1
    assert sum(answer.by.values()) == 1 + wordless
    assert [len(step.tokens) for step in cutter.flush()] == [1 + wordless]


@given(
    st.text(alphabet="a\n😀é", max_size=12), st.lists(st.integers(0, 40), max_size=12), st.data()
)
@settings(deadline=None)
def test_half_a_character_is_written_anew(text: str, cuts: list[int], data: st.DataObject) -> None:
    """A stream broken off behind any token, and gone on with behind its last character."""
    written = text.encode()
    edges = [0, *sorted(min(cut, len(written)) for cut in cuts), len(written)]
    broken = data.draw(st.integers(0, len(edges) - 1))
    cutter = StepCutter(Author.SRM)
    answer = AnswerWriter(Author.SRM, room=512)
    steps = []
    for start, end in pairwise(edges[: broken + 1]):
        piece = as_token_text(written[start:end])
        steps += cutter.push(Token(piece))
        answer.push(piece)
    whole = written[: edges[broken]].decode(errors="ignore")
    assert cutter.take_back() == answer.take_back() <= 3
    assert "".join(step.text for step in steps) + cutter.open_text == whole
    assert answer.written == "</think>" + whole
    rest = text[len(whole) :]
    steps += [*cutter.push(Token(rest)), *cutter.flush()]
    answer.push(rest)
    answer.finish()
    assert "".join(step.text for step in steps) == text
    assert answer.text == text.strip()
    assert sum(len(step.tokens) for step in steps) == sum(answer.by.values())
