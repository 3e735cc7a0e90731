"""Reasoning that clients send back as they got it, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.gateway.responses.signing import signed, verified

SECRET = b"a secret"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_a_text_comes_back(text: str) -> None:
    assert verified(signed(text, SECRET), SECRET, len(text.encode())) == text


@given(TEXTS, st.data())
def test_any_change_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = signed(text, SECRET)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(max_codepoint=300).filter(lambda each: each != sealed[at]))
    for changed in (sealed[:at] + other + sealed[at + 1 :], sealed[:at], sealed + other):
        with pytest.raises(ValueError):  # noqa: PT011 - which part is wrong does not matter
            verified(changed, SECRET, 10**6)


@given(TEXTS)
def test_another_secret_does_not_verify_it(text: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        verified(signed(text, b"another"), SECRET, 10**6)


def test_a_long_text_is_not_unpacked_beyond_the_limit() -> None:
    sealed = signed("ä" * 500_000, SECRET)
    assert len(sealed) < 4000
    with pytest.raises(OverflowError):
        verified(sealed, SECRET, 999_999)
    assert len(verified(sealed, SECRET, 10**6)) == 500_000
