"""Tokens: probabilities, perplexity, halves of characters, and sampling temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.reasoning import (
    Alternative,
    Token,
    join_text,
    low_perplexity_ratio,
    perplexity,
    sharpen,
    usable_logprob,
)
from trigreason.reasoning.tokens import token_lengths, unfinished_bytes

TEMPERATURES = st.floats(0.1, 3)
LOGITS = st.lists(st.floats(-8, 8), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("reported", "usable"),
    [
        (None, None),
        (-9999, None),
        (-9999.0, None),
        (-9000.0, None),
        (-math.inf, None),
        (math.nan, None),
        (-8999.0, -8999.0),
        (-0.25, -0.25),
        (0.0, 0.0),
        (1e-7, 0.0),
        (3.0, 0.0),
    ],
)
def test_usable_logprob(reported: float | None, usable: float | None) -> None:
    assert usable_logprob(reported) == usable


@pytest.mark.parametrize(
    ("logprob", "expected"), [(0.0, 1.0), (-math.log(2), 2.0), (-1e6, math.inf)]
)
def test_perplexity_is_one_over_p(logprob: float, expected: float) -> None:
    assert perplexity(logprob) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logprobs", "ratio"),
    [
        ([], None),
        ([None, None], None),
        ([0.0], 1.0),
        ([-1.0], 0.0),
        ([0.0, -1.0], 0.5),
        ([0.0, None, -1.0, None], 0.5),
        ([0.0] * 17 + [-1.0] * 3, 0.85),
        ([-0.048], 1.0),  # PPL 1.0492
        ([-0.049], 0.0),  # PPL 1.0502
    ],
)
def test_low_perplexity_ratio(logprobs: Sequence[float | None], ratio: float | None) -> None:
    assert low_perplexity_ratio(logprobs, tau=1.05) == ratio


def test_a_perplexity_of_exactly_tau_is_not_low() -> None:
    assert low_perplexity_ratio([-0.05], tau=perplexity(-0.05)) == 0.0
    assert low_perplexity_ratio([0.0], tau=1.0) == 0.0


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        (["a", "", "b"], "ab"),
        (["\udce2", "\udc82", "\udcac"], "€"),
        (["x\udcf0\udc9f", "\udc98\udc80y"], "x😀y"),
        (["\udce2"], "\ufffd"),
        (["\udce2", "a"], "\ufffda"),
        (["\udc82", "\udce2\udc82\udcac"], "\ufffd€"),
    ],
)
def test_halves_of_characters_join(pieces: Sequence[str], text: str) -> None:
    assert join_text(pieces) == text


def softmax(logits: Sequence[float], temperature: float) -> list[float]:
    """Log-probabilities in nats, computed the direct way."""
    scaled = [logit / temperature for logit in logits]
    log_sum = math.log(sum(math.exp(each - max(scaled)) for each in scaled)) + max(scaled)
    return [each - log_sum for each in scaled]


def token_at(logprobs: Sequence[float], chosen: int, shown: int | None = None) -> Token:
    """Token ``chosen`` of a vocabulary, with its ``shown`` best alternatives (all by default)."""
    top = [Alternative(str(index), logprob) for index, logprob in enumerate(logprobs)]
    top.sort(key=lambda other: -other.logprob)
    return Token(str(chosen), logprobs[chosen], chosen, tuple(top[:shown]))


@given(LOGITS, TEMPERATURES, TEMPERATURES, st.data())
@settings(max_examples=80, deadline=None)
def test_sharpen_is_exact_when_top_is_complete(
    logits: list[float], temperature: float, reported_at: float, data: st.DataObject
) -> None:
    chosen = data.draw(st.integers(0, len(logits) - 1))
    token = token_at(softmax(logits, reported_at), chosen)
    expected = softmax(logits, temperature)
    sharpened = sharpen(token, temperature, reported_at)
    assert sharpened.logprob == pytest.approx(expected[chosen], abs=1e-6)
    for other in sharpened.top:
        assert other.logprob == pytest.approx(expected[int(other.text)], abs=1e-6)


@given(LOGITS, TEMPERATURES, st.data())
@settings(max_examples=60, deadline=None)
def test_sharpen_estimates_from_above_when_the_tail_is_missing(
    logits: list[float], temperature: float, data: st.DataObject
) -> None:
    chosen = data.draw(st.integers(0, len(logits) - 1))
    shown = data.draw(st.integers(1, len(logits)))
    estimate = sharpen(token_at(softmax(logits, 1), chosen, shown), temperature).logprob
    exact = 0.0 if temperature == 1 else softmax(logits, temperature)[chosen]
    assert estimate is not None
    assert estimate <= 0
    if temperature != 1:
        assert estimate >= exact - 1e-6


@given(LOGITS, st.lists(TEMPERATURES, min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_colder_makes_the_best_token_surer(logits: list[float], pair: list[float]) -> None:
    best = token_at(softmax(logits, 1), max(range(len(logits)), key=logits.__getitem__))
    cold, warm = (sharpen(best, temperature).logprob for temperature in sorted(pair))
    assert cold is not None
    assert warm is not None
    assert cold >= warm - 1e-6


@given(LOGITS.filter(lambda logits: len(logits) > 1), TEMPERATURES)
@settings(max_examples=60, deadline=None)
def test_sharpen_keeps_the_order_of_tokens(logits: list[float], temperature: float) -> None:
    reported = softmax(logits, 1)
    sharpened = [
        sharpen(token_at(reported, each), temperature).logprob or 0.0 for each in range(len(logits))
    ]
    order = sorted(range(len(logits)), key=reported.__getitem__)
    assert all(sharpened[a] <= sharpened[b] + 1e-6 for a, b in pairwise(order))


def test_sharpen_counts_a_token_that_top_left_out() -> None:
    token = Token("rare", math.log(0.1), top=(Alternative("common", math.log(0.9)),))
    assert sharpen(token, 0.5).logprob == pytest.approx(math.log(0.01 / (0.01 + 0.81)))


def test_sharpen_gives_no_probability_above_one() -> None:
    """The token's own logprob, reported twice, differs in the last digits."""
    assert sharpen(Token("a", -0.1, top=(Alternative("a", -0.1000005),)), 0.5).logprob == 0


def test_sharpen_without_need_or_without_probability() -> None:
    assert sharpen(Token("a", -0.3), 0.6, reported_at=0.6) == Token("a", -0.3)
    assert sharpen(Token("a", None), 0.6) == Token("a", None)


@pytest.mark.parametrize(
    ("temperature", "reported_at", "complaint"),
    [(0, 1, "positive"), (-1, 1, "positive"), (1, 0, "positive"), (0.6, 1, "top-N")],
)
def test_sharpen_refuses(temperature: float, reported_at: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        sharpen(Token("a", -0.3), temperature, reported_at)


@pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
def test_unfinished_bytes(character: str) -> None:
    data = character.encode()
    for length in range(1, len(data) + 1):
        text = "a€" + data[:length].decode("utf-8", "surrogateescape")
        assert unfinished_bytes(text) == (length if length < len(data) else 0)


@pytest.mark.parametrize(
    ("text", "pieces", "lengths"),
    [
        ("So it is.", ["So", " it", " is", "."], (2, 3, 3, 1)),
        ("!\n\nSo", ["So"], (2,)),  # the step before ended within a token
        ("So.\n\n", ["So", ".\n\nNo"], (2, 3)),  # the last token goes on in the next step
        ("\nSo.\n\n", ["So", ".\n\nNo"], (2, 3)),
        ("aé", ["a", "\udcc3", "\udca9"], (1, 0, 1)),  # the character is the last token's
        ("a👍b", ["a", "\udcf0\udc9f", "\udc91\udc8d", "b"], (1, 0, 1, 1)),
        ("Aha", ["", "Aha", ""], (0, 3, 0)),
        ("So", ["<think>", "So"], ()),
        ("", [], ()),
    ],
)
def test_token_lengths(text: str, pieces: list[str], lengths: tuple[int, ...]) -> None:
    assert token_lengths(text, pieces) == lengths


@given(st.text(max_size=12), st.data())
def test_the_lengths_of_tokens_give_their_texts_back(text: str, data: st.DataObject) -> None:
    raw = text.encode(errors="replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    parts = [raw[start:end] for start, end in pairwise([0, *cuts, len(raw)])]
    pieces = [part.decode("utf-8", "surrogateescape") for part in parts]
    written = token_lengths(raw.decode(), pieces)
    assert sum(written) == len(raw.decode())
    assert len(written) == (len(pieces) if text else 0)
    at = 0
    for piece, length in zip(pieces, written, strict=False):
        if piece.isascii():
            assert raw.decode()[at : at + length] == piece
        at += length
