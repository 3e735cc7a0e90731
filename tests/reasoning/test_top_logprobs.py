"""The likeliest tokens' logprobs: packed, read back, and what they say."""

from __future__ import annotations

import base64
import math
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.reasoning import Alternative, Token
from trigreason.reasoning.top_logprobs import MOST_LIKELY, TopLogprobs, entropy, margin

LN2 = math.log(2)
POSITIONS = st.lists(
    st.lists(st.one_of(st.floats(-70, 0), st.just(-9999.0)), max_size=MOST_LIKELY + 3), max_size=8
)


def tokens(*positions: list[float]) -> list[Token]:
    return [Token("x", top=tuple(Alternative("y", each) for each in top)) for top in positions]


@given(POSITIONS)
def test_what_is_packed_is_read_back(positions: list[list[float]]) -> None:
    packed = TopLogprobs.of(tokens(*positions))
    kept = [sorted(top, reverse=True)[:MOST_LIKELY] for top in positions]
    assert bool(packed) is any(kept)
    if packed:
        for read, top in zip(packed, kept, strict=True):
            assert read == pytest.approx([max(each, -65.535) for each in top], abs=0.0005001)
    assert TopLogprobs.from_text(packed.to_text()) == packed


@given(POSITIONS)
def test_a_record_says_what_was_said_live(positions: list[list[float]]) -> None:
    live = TopLogprobs.of(tokens(*positions))
    again = TopLogprobs.of(tokens(*(list(top) for top in live)))
    assert [*map(entropy, again)] == [*map(entropy, live)]
    assert [*map(margin, again)] == [*map(margin, live)]


@pytest.mark.parametrize("strange", [math.nan, -math.inf, 0.5])
def test_what_is_no_logprob_is_kept_in_bounds(strange: float) -> None:
    ((first, *rest),) = TopLogprobs.of(tokens([strange, -0.25]))
    assert (first, rest) == ((0.0, [-0.25]) if strange == 0.5 else (-0.25, [-65.535]))


@pytest.mark.parametrize(
    ("logprobs", "nats", "lead"),
    [
        ((), None, None),
        ((0.0,), 0.0, 1.0),
        ((-LN2, -LN2), LN2, 0.0),
        ((-LN2,), LN2, 0.5),  # the other half counts as one token
        ((math.log(0.7), math.log(0.2)), 0.8018, 0.5),
        ((0.0, -0.0005), 0.0005, 0.0005),  # rounded logprobs may say more than 1
    ],
)
def test_entropy_and_margin(
    logprobs: tuple[float, ...], nats: float | None, lead: float | None
) -> None:
    assert entropy(logprobs) == pytest.approx(nats, abs=1e-4)
    assert margin(logprobs) == pytest.approx(lead, abs=1e-4)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=30))
def test_the_entropy_of_the_likeliest_is_a_lower_bound(weights: list[float]) -> None:
    logprobs = sorted((math.log(each / sum(weights)) for each in weights), reverse=True)
    whole = entropy(logprobs)
    few = entropy(logprobs[:5])
    assert whole is not None
    assert few is not None
    assert few <= whole + 1e-9


@pytest.mark.parametrize(
    "text",
    [
        "no base64!",
        base64.b64encode(b"not compressed").decode(),
        base64.b64encode(zlib.compress(b"odd")).decode(),
        base64.b64encode(zlib.compress(b"\x05\x00\x01\x00")).decode(),
    ],
)
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        TopLogprobs.from_text(text)
