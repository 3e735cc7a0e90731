"""Cutting tokens into steps: tables for the rules, properties for everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from trigreason.reasoning import Author, Step, StepCutter, StepEnd, Token
from trigreason.reasoning.tags import Tags

BLANK, END, LIMIT = StepEnd.BLANK_LINE, StepEnd.END_OF_THINKING, StepEnd.TOKEN_LIMIT
TAG = "</think>"
SLACK = 16
"""Tokens by which a step may pass its limit, to finish a character or a tag."""

PROSE = [
    "\n", "\n\n", ".\n\n", "a\n\nb", "\n\n\n", " ", "a", "\t", "\r\n", "\r\n\r\n", "```", "```py\n",
    "~~~", "$$", "\\[", "\\]", "\\\\[2pt]", "\\begin{align*}", "\\end{align*}", "`", "€", "😀",
    "\u3000", "\u0085", "\u2028", "é",
]  # fmt: skip
TAGGED = [*PROSE, "</", "think", ">", "<", "/", TAG, "x</think>y", "</think>\n\n"]
BYTES = ["\udce2", "\udc82", "\udcac", "\udcf0", "\udc9f", "\udc80", "\udcff", "\ud83d", ""]

STREAMS = st.lists(st.sampled_from([*TAGGED, *BYTES]), max_size=25)
TEXTS = st.lists(st.sampled_from(TAGGED), max_size=25).map("".join)
LONG_TEXTS = st.lists(st.sampled_from([*PROSE, TAG]), max_size=40).map("".join)
LIMITS = st.integers(1, 12)
often = settings(max_examples=100, deadline=None)


def tokens(texts: Sequence[str]) -> list[Token]:
    return [Token(text, id=index) for index, text in enumerate(texts)]


def cutter(max_tokens: int = 10**6, *, whole_blocks: bool = True) -> StepCutter:
    return StepCutter(Author.SRM, max_tokens=max_tokens, whole_blocks=whole_blocks)


def push_until_closed(cut: StepCutter, stream: Sequence[Token]) -> tuple[list[Step], int]:
    """The steps, the last of them flushed, and how many tokens were taken."""
    steps: list[Step] = []
    taken = 0
    for token in stream:
        if cut.closed:
            break
        steps += cut.push(token)
        taken += 1
    return steps + cut.flush(), taken


def cut_text(texts: Sequence[str], max_tokens: int = 10**6) -> list[tuple[str, StepEnd]]:
    steps, _ = push_until_closed(cutter(max_tokens), tokens(texts))
    return [(step.text, step.end) for step in steps]


@st.composite
def tokenised(draw: st.DrawFn, text: st.SearchStrategy[str]) -> tuple[str, list[str]]:
    """A text and one way to divide its bytes among tokens, a few of them empty."""
    whole = draw(text)
    data = whole.encode()
    cuts = draw(st.sets(st.integers(0, len(data)), max_size=20))
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    return whole, [piece.decode("utf-8", "surrogateescape") for piece in pieces]


# --- Tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        # Blank lines.
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a\n"]),
        ("a\n\n", ["a\n\n"]),
        ("a\n\nb", ["a\n\n", "b"]),
        ("a\nb\n\nc\n\n", ["a\nb\n\n", "c\n\n"]),
        ("a\n \t\nb", ["a\n \t\n", "b"]),
        ("a\r\n\r\nb", ["a\r\n\r\n", "b"]),
        ("a\r\rb", ["a\r\rb"]),
        # Newlines that follow open the next step.
        ("a\n\n\nb", ["a\n\n", "\nb"]),
        ("a\n\n\n\nb\n\n", ["a\n\n", "\n\nb\n\n"]),
        ("a\n\n\n\n\n", ["a\n\n", "\n\n\n"]),
        # No step of white space only, but at the very end.
        ("\n\na\n\n", ["\n\na\n\n"]),
        (" \n\n \n\na\n\nb", [" \n\n \n\na\n\n", "b"]),
        ("\n\n", ["\n\n"]),
        ("\u3000\n\na\n\n", ["\u3000\n\na\n\n"]),
        # Fenced code.
        ("```\nx\n\ny\n```\n\nb", ["```\nx\n\ny\n```\n\n", "b"]),
        ("```python\n\n```\n\nb", ["```python\n\n```\n\n", "b"]),
        ("~~~\n\n~~~\n\nb", ["~~~\n\n~~~\n\n", "b"]),
        ("~~~\n\n```\n\n~~~\n\nb", ["~~~\n\n```\n\n~~~\n\n", "b"]),
        ("````\n\n```\n\n````\n\nb", ["````\n\n```\n\n````\n\n", "b"]),
        ("```\n\n``` x\n\n```\n\nb", ["```\n\n``` x\n\n```\n\n", "b"]),
        ("```\r\n\r\n```\r\n\r\nb", ["```\r\n\r\n```\r\n\r\n", "b"]),
        ("use ``` here\n\nb", ["use ``` here\n\n", "b"]),
        ("```f(x)``` is code\n\nb", ["```f(x)``` is code\n\n", "b"]),
        ("```\n$$\n\n```\n\nb", ["```\n$$\n\n```\n\n", "b"]),
        ("```\na\n\nb", ["```\na\n\nb"]),
        # Displayed formulas.
        ("$$\nx\n\n$$\n\nb", ["$$\nx\n\n$$\n\n", "b"]),
        ("$$x$$\n\nb", ["$$x$$\n\n", "b"]),
        ("\\[\nx\n\n\\]\n\nb", ["\\[\nx\n\n\\]\n\n", "b"]),
        ("\\begin{align*}\n\n\\end{align*}\n\nb", ["\\begin{align*}\n\n\\end{align*}\n\n", "b"]),
        ("\\[\\begin{a}\n\n\\end{a}\n\n\\]\n\nb", ["\\[\\begin{a}\n\n\\end{a}\n\n\\]\n\n", "b"]),
        ("\\]\n\nb", ["\\]\n\n", "b"]),
        ("\\] \\[\n\n\\]\n\nb", ["\\] \\[\n\n\\]\n\n", "b"]),
        ("\\[1 \\\\[4pt] 2\\]\n\nb", ["\\[1 \\\\[4pt] 2\\]\n\n", "b"]),
        ("\\[1 \\\\\\]\n\nb", ["\\[1 \\\\\\]\n\n", "b"]),
    ],
)
@pytest.mark.parametrize(
    "divide", [lambda text: [text] if text else [], list], ids=["one token", "characters"]
)
def test_steps_of_a_text(text: str, steps: list[str], divide: Callable[[str], list[str]]) -> None:
    assert [each for each, _ in cut_text(divide(text))] == steps


@pytest.mark.parametrize(
    "text", ["```\nx\n\ny\n```\n\nb", "$$\nx\n\ny\n\\]\n\nb", "\\[\nx\n\ny z\n\nb"]
)
def test_without_whole_blocks_every_blank_line_cuts(text: str) -> None:
    assert len(cutter().push_all([Token(text)])) < 2
    assert len(cutter(whole_blocks=False).push_all([Token(text)])) == 2


@pytest.mark.parametrize(
    ("texts", "steps", "remainder"),
    [
        (["a", TAG], [("a", END)], ""),
        ([TAG], [("", END)], ""),
        (["a\n\n", TAG], [("a\n\n", BLANK), ("", END)], ""),
        (["a\n\n", "\n", TAG], [("a\n\n", BLANK), ("\n", END)], ""),
        (["a.</think>\n\nSo"], [("a.", END)], "\n\nSo"),
        (["a", "</", "think", ">b"], [("a", END)], "b"),
        (["a", *TAG], [("a", END)], ""),
        (["a\n\nb</think>c\n\nd"], [("a\n\n", BLANK), ("b", END)], "c\n\nd"),
        (["a</think>b</think>c"], [("a", END)], "b</think>c"),
        (["```\n", TAG], [("```\n", END)], ""),
        (["<", "</", "think>"], [("<", END)], ""),
        (["</thin", "</think>", ""], [("</thin", END)], ""),
        (["</thinking>", "\n\n"], [("</thinking>\n\n", BLANK)], ""),
        (["a > b", "\n\n"], [("a > b\n\n", BLANK)], ""),
        (["a</think>\udce2"], [("a", END)], "\udce2"),
    ],
)
def test_the_tag_ends_the_thinking(
    texts: list[str], steps: list[tuple[str, StepEnd]], remainder: str
) -> None:
    cut = cutter()
    made, _ = push_until_closed(cut, tokens(texts))
    assert [(step.text, step.end) for step in made] == steps
    assert cut.remainder == remainder
    assert cut.closed == (steps[-1][1] is END)


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (["a", "\n", "\n", "b"], [3, 1]),
        (["a", "\n\nb", "c"], [2, 1]),  # the token begins in the first step
        (["a\n\nb\n\nc"], [1, 0, 0]),
        (["a\n\n\n", "b"], [1, 1]),
        (["a", "</", "think", ">"], [4]),
        (["a\n\n", TAG], [1, 1]),
        (["a", "", ""], [3]),
    ],
)
def test_a_token_counts_where_it_begins(texts: list[str], counts: list[int]) -> None:
    steps, _ = push_until_closed(cutter(), tokens(texts))
    assert [len(step.tokens) for step in steps] == counts


@pytest.mark.parametrize(
    ("texts", "limit", "steps"),
    [
        (["a", "b", "c", "d"], 2, [("ab", LIMIT), ("cd", LIMIT)]),
        (["a", "b", "c"], 2, [("ab", LIMIT), ("c", StepEnd.END_OF_STREAM)]),
        (["a", "\n\n", "b"], 2, [("a\n\n", BLANK), ("b", StepEnd.END_OF_STREAM)]),
        (["a", "\n", "\nb"], 2, [("a\n", LIMIT), ("\nb", StepEnd.END_OF_STREAM)]),
        (["\n"] * 4, 2, [("\n\n", LIMIT), ("\n\n", LIMIT)]),
        (["```\n", "x"], 2, [("```\nx", LIMIT)]),
        (["a", "</", "think", ">"], 2, [("a", END)]),
        (["a", "</", "thing", "b"], 2, [("a</thing", LIMIT), ("b", StepEnd.END_OF_STREAM)]),
        (["a", TAG], 2, [("a", END)]),
        (["a", TAG], 1, [("a", LIMIT), ("", END)]),
        (["\udce2", "\udc82", "\udcac", "b"], 1, [("€", LIMIT), ("b", LIMIT)]),
        (["<"] * 20, 2, [("<" * 18, LIMIT), ("<<", StepEnd.END_OF_STREAM)]),
        ([""] * 3, 3, [("", LIMIT)]),
    ],
)
def test_the_limit(texts: list[str], limit: int, steps: list[tuple[str, StepEnd]]) -> None:
    assert cut_text(texts, limit) == steps


@pytest.mark.parametrize(
    ("texts", "settled"),
    [
        ([], ""),
        (["ab"], "ab"),
        (["ab<"], "ab"),
        (["a", "</thin"], "a"),
        (["a", "</thin", "g"], "a</thing"),
        (["<<"], "<"),
        (["a\udce2", "\udc82"], "a"),
        (["a\udce2", "\udc82", "\udcac"], "a€"),
        (["\udcff"], ""),
        (["\udce2<"], "\ufffd"),
        (["a\n\nb"], "b"),
    ],
)
def test_settled_text(texts: list[str], settled: str) -> None:
    cut = cutter()
    cut.push_all(tokens(texts))
    assert cut.settled_text == settled


def test_open_text_and_tokens_follow_the_step_under_way() -> None:
    cut = cutter()
    cut.push_all(tokens(["a\n\nb", "c", "\udce2"]))
    assert (cut.open_text, cut.open_tokens) == ("bc\ufffd", 2)


def test_flush_gives_the_rest_once() -> None:
    cut = cutter()
    assert cut.flush() == []
    cut.push(Token("ab"))
    assert cut.flush(StepEnd.CUT_OFF) == [Step("ab", (Token("ab"),), StepEnd.CUT_OFF)]
    assert cut.flush() == []
    assert cut.open_text == ""


def test_nothing_may_be_pushed_after_the_end() -> None:
    cut = cutter()
    cut.push(Token("a</think>"))
    with pytest.raises(ValueError, match="answer"):
        cut.push(Token("b"))
    assert cut.flush() == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_step_needs_room(limit: int) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        cutter(limit)


def test_steps_carry_their_author() -> None:
    (step,) = StepCutter(Author.LRM).push(Token("a\n\n"))
    assert step.author is Author.LRM


@pytest.mark.parametrize(
    ("text", "blank"), [("", True), (" \r\n\t", True), ("\u3000", True), ("a", False)]
)
def test_is_blank(text: str, blank: bool) -> None:
    assert Step(text, ()).is_blank is blank


def test_another_tag() -> None:
    cut = StepCutter(Author.SRM, tags=Tags("[THINK]", "[/THINK]"))
    (step,) = cut.push_all(tokens(["a</think>", "b[/THI", "NK]c"]))
    assert (step.text, cut.remainder) == ("a</think>b", "c")


@pytest.mark.parametrize("texts", [["<think>\n", "a\n\n"], ["<th", "ink", ">", "\n", "a\n\n"]])
def test_an_opening_tag_is_in_no_step(texts: list[str]) -> None:
    cut = StepCutter(Author.SRM)
    shown = ""
    steps: list[Step] = []
    for token in tokens(texts):
        steps += cut.push(token)
        shown += cut.settled_text
    assert [step.text for step in steps] == ["\na\n\n"]
    assert "<" not in shown
    assert len(steps[0].tokens) == len(texts)
