"""Hesitation: Table 3 and its matcher."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.reasoning import HESITATION_EXPRESSIONS, find_hesitations

FILLER = st.sampled_from(
    ["the", "sum", "is", "12", "so", "waiter", "awaits", "actuality", "unsure"]
)
EXPRESSION = st.sampled_from(HESITATION_EXPRESSIONS)
DISGUISES = (str.lower, str.upper, str.title, lambda text: text.replace("'", "\u2019"))


def test_table_3_has_21_expressions() -> None:
    assert len(set(HESITATION_EXPRESSIONS)) == 21


@pytest.mark.parametrize("frame", ["{}", "So {}, x = 3.", "({})", "x. {}...", "**{}**", "{}\n\n"])
def test_each_expression_is_found_alone(frame: str) -> None:
    for expression in HESITATION_EXPRESSIONS:
        assert find_hesitations(frame.format(expression)) == (expression.lower(),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("Therefore x = 3.", ()),
        # Whole words only.
        ("The waiter awaits; in actuality it was debatably surely_maybe.", ()),
        ("wait2 2wait", ()),
        ("wait-and-see", ("wait",)),
        ("Wait, WAIT! wait...", ("wait",)),
        ("Hmmm", ()),
        ("Hmm", ("hmm",)),
        # Case, apostrophes, white space.
        ("ON THE OTHER HAND", ("on the other hand",)),
        ("Now that i think ABOUT it", ("now that i think about it",)),
        ("I'm not entirely sure", ("i'm not entirely sure",)),
        ("I\u2019m not entirely sure", ("i'm not entirely sure",)),
        ("I\u2018m not entirely sure", ("i'm not entirely sure",)),
        ("unless I\u02bcm wrong", ("unless i'm wrong",)),
        ("unless I\uff07m wrong", ("unless i'm wrong",)),
        ("Im not entirely sure", ()),
        ("on the\nother  hand", ("on the other hand",)),
        ("let me\r\n\treconsider", ("let me reconsider",)),
        ("could\u00a0be", ("could be",)),
        ("couldbe", ()),
        # Overlaps: the longest that starts first.
        ("or perhaps", ("or perhaps",)),
        ("or maybe perhaps", ("maybe", "perhaps")),
        ("This might be wrong", ("this might be wrong",)),
        ("This might be right", ("might be",)),
        ("I could be mistaken", ("i could be mistaken",)),
        ("It could be mistaken", ("could be",)),
        ("I'm not sure", ("not sure",)),
        # Order of appearance, once each.
        ("Maybe. Wait, maybe not: actually, wait.", ("maybe", "wait", "actually")),
    ],
)
def test_find_hesitations(text: str, found: tuple[str, ...]) -> None:
    assert find_hesitations(text) == found


@pytest.mark.parametrize(
    ("expressions", "text", "found"),
    [
        ((), "wait", ()),
        (("", "  "), "wait", ()),
        (("Moment mal",), "Hm, moment\nmal: wait", ("moment mal",)),
        (("wait",), "Wait, maybe", ("wait",)),
        (("Wait", "wait"), "wait", ("wait",)),
        (("not", "not sure", "sure"), "not sure", ("not sure",)),
        (("c'est",), "C\u2019est", ("c'est",)),
        (("c\u2019est",), "c'est", ("c'est",)),
        # Regular expressions in an expression are only text.
        (("a.c",), "abc", ()),
        (("a.c",), "an a.c here", ("a.c",)),
        (("x*",), "xxx", ()),
        (("[a-z]+",), "wait", ()),
        (("(?i)", "\\w+"), "wait", ()),
        (("is it?",), "Is it? No", ("is it?",)),
        # An edge that is no letter needs no word's end there.
        (("??",), "what??", ("??",)),
        (("等等",), "我们等等再看", ("等等",)),
        (("...",), "so...then", ("...",)),
        (("hm(",), "hm(x", ("hm(",)),
        (("hm(",), "ohm(x", ()),
    ],
)
def test_custom_expressions(
    expressions: tuple[str, ...], text: str, found: tuple[str, ...]
) -> None:
    assert find_hesitations(text, expressions) == found


@given(FILLER, EXPRESSION, FILLER, st.sampled_from(DISGUISES), st.sampled_from([" ", "\n", "  \n"]))
@settings(max_examples=80, deadline=None)
def test_disguise_changes_nothing(
    before: str, expression: str, after: str, disguise: Callable[[str], str], space: str
) -> None:
    text = f"{before} {disguise(expression).replace(' ', space)} {after}"
    assert find_hesitations(text) == (expression.lower(),)


@given(st.lists(FILLER, max_size=8))
@settings(max_examples=100, deadline=None)
def test_plain_words_are_no_hesitation(words: list[str]) -> None:
    assert find_hesitations(" ".join(words)) == ()
