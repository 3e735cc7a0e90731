"""Cutting steps: what holds of any stream of tokens."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.test_steps import (
    BLANK,
    LIMIT,
    LIMITS,
    LONG_TEXTS,
    SLACK,
    STREAMS,
    TAG,
    TAGGED,
    TEXTS,
    cut_text,
    cutter,
    often,
    push_until_closed,
    tokenised,
    tokens,
)
from trigreason.reasoning import Step, Token, join_text


@given(STREAMS, LIMITS | st.just(10**6), st.booleans(), st.data())
@often
def test_arrival_makes_no_difference(
    texts: list[str], limit: int, whole_blocks: bool, data: st.DataObject
) -> None:
    one_by_one = cutter(limit, whole_blocks=whole_blocks)
    expected, taken = push_until_closed(one_by_one, tokens(texts))
    chunked = cutter(limit, whole_blocks=whole_blocks)
    steps: list[Step] = []
    rest = tokens(texts)[:taken]
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        steps += chunked.push_all(rest[:size])
        rest = rest[size:]
    assert steps + chunked.flush() == expected
    assert (chunked.closed, chunked.remainder) == (one_by_one.closed, one_by_one.remainder)


@given(STREAMS, LIMITS | st.just(10**6), st.booleans())
@often
def test_each_token_is_in_one_step(texts: list[str], limit: int, whole_blocks: bool) -> None:
    stream = tokens(texts)
    steps, taken = push_until_closed(cutter(limit, whole_blocks=whole_blocks), stream)
    assert [token for step in steps for token in step.tokens] == stream[:taken]
    assert all(len(step.tokens) <= limit + SLACK for step in steps)
    assert all(len(step.tokens) >= limit for step in steps if step.end is LIMIT)


@given(tokenised(TEXTS))
@often
def test_no_byte_is_lost(case: tuple[str, list[str]]) -> None:
    text, texts = case
    cut = cutter()
    steps, taken = push_until_closed(cut, tokens(texts))
    thought = "".join(step.text for step in steps)
    tag = TAG if cut.closed else ""
    assert thought + tag + join_text([cut.remainder, *texts[taken:]]) == text
    assert cut.closed == (TAG in text)
    assert TAG not in thought


@given(tokenised(LONG_TEXTS), LIMITS)
@often
def test_no_byte_is_lost_at_the_limit(case: tuple[str, list[str]], limit: int) -> None:
    text, texts = case
    cut = cutter(limit)
    steps, _ = push_until_closed(cut, tokens(texts))
    assert "".join(step.text for step in steps) == text.split(TAG)[0]
    assert cut.closed == (TAG in text)


@given(tokenised(TEXTS))
@often
def test_tokenisation_makes_no_difference(case: tuple[str, list[str]]) -> None:
    text, texts = case
    whole = cut_text([text] if text else [])
    assert cut_text([each for each in texts if each]) == cut_text(list(text)) == whole


@given(STREAMS, LIMITS | st.just(10**6))
@often
def test_settled_text_stands(texts: list[str], limit: int) -> None:
    cut = cutter(limit)
    finished = ""
    settled: list[str] = []
    for token in tokens(texts):
        if not cut.closed:
            finished += "".join(step.text for step in cut.push(token))
            settled.append(finished + cut.settled_text)
            assert len(cut.open_text) - len(cut.settled_text) < len(TAG)
    stood = finished + "".join(step.text for step in cut.flush())
    assert all(stood.startswith(each) for each in settled)


@given(TEXTS)
@often
def test_steps_end_at_their_blank_line(text: str) -> None:
    cut = cutter(whole_blocks=False)
    steps, _ = push_until_closed(cut, [Token(text)])
    for step in steps[:-1]:
        assert step.end is BLANK
        assert step.text.endswith("\n")
        assert not step.is_blank
        assert "\n\n" not in step.text.lstrip()[:-1]


def test_thousands_of_random_streams() -> None:
    """The same, unshrinkable and fast: whole characters in whole tokens, any limit."""
    dice = random.Random(20)
    for _ in range(3000):
        texts = dice.choices(TAGGED, k=dice.randrange(30))
        limit = dice.choice([2, 5, 512])
        cut = cutter(limit)
        steps, taken = push_until_closed(cut, tokens(texts))
        thought = "".join(step.text for step in steps)
        rest = TAG * cut.closed + cut.remainder + "".join(texts[taken:])
        assert thought + rest == "".join(texts)
        assert sum(len(step.tokens) for step in steps) == taken
        assert all(len(step.tokens) <= limit + SLACK for step in steps)
