"""Mining expressions of hesitation: what is found, what is left out, in which scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.paper.kinds.hesitation import mine, n_grams, words_of
from trigreason.reasoning import find_hesitations
from trigreason.reasoning.hesitation import HESITATION_EXPRESSIONS

HESITATING = [
    "Hold on, that cannot be right.",
    "Hold on. Let us see what the sum is.",
    "But hold on, is it even?",
    "Hold on, the sum is odd.",
]
OTHER = [
    "So the sum is 14.",
    "Let us see what the product is.",
    "That is right, and the sum is even.",
    "Hold the door.",
    "Carry on with the sum.",
    "The sum is odd.",
]
STEPS = HESITATING + OTHER
LABELS = [True] * len(HESITATING) + [False] * len(OTHER)


def test_what_hesitating_steps_have_in_common_comes_first() -> None:
    first, *others = mine(STEPS, LABELS, HESITATION_EXPRESSIONS)
    assert (first.words, first.hesitating, first.other) == ("hold on", 4, 0)
    assert not first.known
    assert all(each.strength <= first.strength for each in others)


def test_what_occurs_everywhere_is_no_sign() -> None:
    strengths = {each.words: each.strength for each in mine(STEPS, LABELS, (), at_least=2)}
    assert strengths["sum"] < 0 < strengths["hold on"]


def test_what_is_in_the_list_is_marked() -> None:
    found = mine(STEPS, LABELS, ("hold on",))
    assert {each.words for each in found if each.known} >= {"hold on"}


def test_rare_words_are_no_evidence() -> None:
    assert "even" not in {each.words for each in mine(STEPS, LABELS, ())}
    assert "even" in {each.words for each in mine(STEPS, LABELS, (), at_least=1)}


def test_an_echo_of_a_shorter_n_gram_is_left_out() -> None:
    steps = ["by the way of it", "by the way of it", "by the way of it", "no"]
    found = mine(steps, [True, True, True, False], ())
    assert {each.words for each in found} == {"by", "the", "way", "of", "it"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I\u2019m not sure: 3x + 4 = 10.", ["i'm", "not", "sure", "x"]),
        ("Moment mal, das wäre größer!", ["moment", "mal", "das", "wäre", "größer"]),
        ("等等,不对", ["等", "等", "不", "对"]),
        ("подожди-ка", ["подожди", "ка"]),
        ("12 + 30", []),
        ("I doubt Alice has B. A swap: C or X?", ["i", "doubt", "alice", "has", "a", "swap", "or"]),
        ("Y à Paris? É vero.", ["à", "paris", "é", "vero"]),
    ],
)
def test_words_of_many_languages(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_expressions_without_spaces_are_found_and_can_be_put_into_force() -> None:
    steps = ["等等,再看", "等等,错了", "等等,重来", "答案是三", "所以是五", "一共七"]
    labels = [True] * 3 + [False] * 3
    found = {each.words for each in mine(steps, labels, (), at_least=3)}
    assert "等等" in found or "等" in found
    assert all(find_hesitations(step, sorted(found)) for step in steps[:3])


def test_n_grams_of_up_to_four_words_once_each() -> None:
    assert set(n_grams("a b a b")) == {"a", "b", "a b", "b a", "a b a", "b a b", "a b a b"}
    assert max(len(gram.split()) for gram in n_grams("one two three four five six")) == 4


def test_only_scripts_without_spaces_are_closed_up() -> None:
    assert n_grams("y à", 2) == ["y", "y à", "à"]
    assert n_grams("不对", 2) == ["不", "不对", "对"]
    assert n_grams("a等 等 a等等").count("a等 等") == 1


@pytest.mark.parametrize(
    ("steps", "labels", "told"),
    [
        (["a"], [True, False], "1 steps have 2 labels"),
        (["a", "b"], [False, False], "none of 2 steps hesitates"),
        (["a", "b"], [True, True], "none of 2 steps is without hesitation"),
    ],
)
def test_there_must_be_something_to_compare(
    steps: list[str], labels: list[bool], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        mine(steps, labels, ())


@given(st.lists(st.tuples(st.text(max_size=30), st.booleans()), min_size=2, max_size=12))
def test_counts_are_those_of_the_steps(labelled: list[tuple[str, bool]]) -> None:
    steps, labels = [text for text, _ in labelled], [label for _, label in labelled]
    if all(labels) or not any(labels):
        return
    for each in mine(steps, labels, (), at_least=1):
        holding = [label for text, label in labelled if each.words in set(n_grams(text))]
        assert (sum(holding), len(holding) - sum(holding)) == (each.hesitating, each.other)
