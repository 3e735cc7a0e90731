"""Tokens out of the JSON of a completions stream, in both shapes of logprobs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.engines.base import EngineFailed, Usage
from trigreason.engines.wire import Choice, aligned, decode_chunk, tokens_of
from trigreason.reasoning import Alternative, Token


def choice(**fields: Any) -> Choice:
    return decode_chunk(json.dumps({"choices": [fields]}).encode(), "here").parts[0]


def chat(*entries: tuple[str, float | None]) -> dict[str, Any]:
    return {"content": [{"token": text, "logprob": logprob} for text, logprob in entries]}


def legacy(*entries: tuple[str, float | None]) -> dict[str, Any]:
    return {
        "tokens": [text for text, _ in entries],
        "token_logprobs": [logprob for _, logprob in entries],
    }


BOTH_SHAPES = pytest.mark.parametrize("shape", [chat, legacy])


@BOTH_SHAPES
def test_several_tokens_in_one_chunk(shape: Any) -> None:
    got = tokens_of(choice(text="So x", logprobs=shape(("So", -0.5), (" x", -0.25))))
    assert got == [Token("So", -0.5), Token(" x", -0.25)]


@BOTH_SHAPES
@pytest.mark.parametrize("sentinel", [None, -9999.0, -99999.0])
def test_a_sentinel_is_no_probability(shape: Any, sentinel: float | None) -> None:
    got = tokens_of(choice(text="ab", logprobs=shape(("a", sentinel), ("b", -0.25))))
    assert got == [Token("a", None), Token("b", -0.25)]


@BOTH_SHAPES
@pytest.mark.parametrize(
    ("text", "texts"),
    [("", ["", ""]), ("😀", ["", "😀"]), ("<different>", ["<different>", ""])],
)
def test_the_event_text_wins_over_the_tokens_texts(shape: Any, text: str, texts: list[str]) -> None:
    got = tokens_of(choice(text=text, logprobs=shape(("\ufffd", -0.5), ("\ufffd", -0.25))))
    assert [token.text for token in got] == texts
    assert [token.logprob for token in got] == [-0.5, -0.25]


@BOTH_SHAPES
def test_a_positive_rounding_error_is_certainty(shape: Any) -> None:
    assert tokens_of(choice(text="a", logprobs=shape(("a", 1e-7)))) == [Token("a", 0.0)]


@pytest.mark.parametrize("logprobs", [None, {}, {"content": []}, {"tokens": []}])
def test_without_logprobs_the_text_is_one_token(logprobs: dict[str, Any] | None) -> None:
    assert tokens_of(choice(text="So", logprobs=logprobs)) == [Token("So")]
    assert tokens_of(choice(text="", logprobs=logprobs)) == []


def test_chat_style_in_full() -> None:
    entry = {
        "id": 17,
        "token": "a",
        "bytes": [97],
        "logprob": -0.5,
        "top_logprobs": [
            {"token": "a", "logprob": -0.5},
            {"token": "b", "logprob": -1.0},
            {"token": "c", "logprob": -9999.0},
        ],
    }
    [token] = tokens_of(choice(text="a", logprobs={"content": [entry]}))
    assert token == Token("a", -0.5, 17, (Alternative("a", -0.5), Alternative("b", -1.0)))


def test_legacy_style_in_full() -> None:
    logprobs = {
        "tokens": ["a", "b"],
        "token_logprobs": [-1.0, -0.5],
        "top_logprobs": [{"a": -1.0, "z": -0.5, "y": -9999.0}, None],
        "text_offset": [0, 1],
        "token_ids": [5, 6],
    }
    first, second = tokens_of(choice(text="ab", logprobs=logprobs))
    assert first == Token("a", -1.0, 5, (Alternative("z", -0.5), Alternative("a", -1.0)))
    assert second == Token("b", -0.5, 6)


def test_legacy_arrays_of_different_lengths() -> None:
    logprobs = {"tokens": ["a", "b"], "token_logprobs": [-1.0]}
    assert tokens_of(choice(text="ab", logprobs=logprobs)) == [Token("a", -1.0), Token("b", None)]


@pytest.mark.parametrize(
    ("event", "usage"),
    [
        ({"usage": {"prompt_tokens": 9}}, Usage(9, None)),
        ({"usage": {"prompt_tokens": 9, "completion_tokens": 3}}, Usage(9, None, 3)),
        ({"usage": {"prompt_tokens": 9, "cached_tokens": 4}}, Usage(9, 4)),
        (
            {
                "usage": {
                    "prompt_tokens": 9,
                    "prompt_cache_hit_tokens": 4,
                    "prompt_cache_miss_tokens": 5,
                }
            },
            Usage(9, 4),
        ),
        ({"usage": {}}, Usage()),
        ({"usage": None}, Usage()),
        (
            {"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}},
            Usage(9, 4),
        ),
        ({"prompt_progress": {"total": 9, "cache": 4, "processed": 9}}, Usage(9, 4)),
        ({"timings": {"prompt_n": 5, "cache_n": 4, "predicted_n": 7}}, Usage(None, 4, 7)),
        ({}, Usage()),
    ],
)
def test_usage(event: dict[str, Any], usage: Usage) -> None:
    told = Usage()
    decode_chunk(json.dumps(event).encode(), "here").add_to(told)
    assert told == usage


def test_usage_told_again_keeps_what_it_leaves_out() -> None:
    told = Usage()
    for usage in (
        {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}},
        {"completion_tokens": 1},
        {"completion_tokens": 2, "prompt_tokens_details": None},
    ):
        decode_chunk(json.dumps({"usage": usage}).encode(), "here").add_to(told)
    assert told == Usage(9, 4, 2)


def test_a_token_beside_its_choice() -> None:
    event = {
        "token": {"id": 5, "text": "a", "logprob": -0.5, "special": False},
        "choices": [{"index": 0, "text": "a"}],
        "finish_reason": "eos",
    }
    [part] = decode_chunk(json.dumps(event).encode(), "here").parts
    assert part.finish_reason == "eos"
    assert part.has_logprobs
    assert tokens_of(part) == [Token("a", -0.5)]


def test_a_bare_number_for_logprobs() -> None:
    assert tokens_of(choice(text="a", logprobs=-0.5)) == [Token("a", -0.5)]
    assert tokens_of(choice(text="a", logprobs=-9999.0)) == [Token("a")]


PIECES = st.lists(st.text(max_size=3), max_size=6)


@given(PIECES, st.text(max_size=8))
def test_the_text_is_kept_whatever_the_tokens_say(pieces: list[str], text: str) -> None:
    tokens = [Token(piece, -0.5) for piece in pieces]
    got = aligned(tokens, text)
    assert "".join(token.text for token in got) == text
    assert len(got) == len(tokens) or (not tokens and len(got) == 1)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[1]", b'{"choices": 3}', b"<html>", b'{"error": {"message": "\xff"}}']
)
def test_what_is_no_completion(payload: bytes) -> None:
    with pytest.raises(EngineFailed, match=r"^here: the stream holds what is no completion"):
        decode_chunk(payload, "here")


@pytest.mark.parametrize(
    ("texts", "text", "aligned_texts"),
    [
        (["a", " b", "<|im_end|>"], "a b", ["a", " b", ""]),
        (["<s>", "a", " b"], "a b", ["", "a", " b"]),
        (["a", "\ufffd", "\ufffd", " b"], "aé b", ["a", "", "é", " b"]),
        (["a", "\ufffd", "\ufffd"], "aé", ["a", "", "é"]),
        (["a", "\ufffd"], "a", ["a", ""]),
        (["\ufffd", " b"], "é b", ["é", " b"]),
        (["c", "d"], "held back: cd", ["held back: cd", ""]),
        (["a", "b"], "", ["", ""]),
        (["a", "x", "a"], "aa", ["a", "", "a"]),
    ],
)
def test_texts_stand_where_their_tokens_do(
    texts: list[str], text: str, aligned_texts: list[str]
) -> None:
    placed = aligned([Token(each, -0.5) for each in texts], text)
    assert [token.text for token in placed] == aligned_texts
    assert [token.logprob for token in placed] == [-0.5] * len(texts)


@given(
    st.lists(st.sampled_from(["a", " b", "\n\n", "é", "\ufffd", "", "</think>"]), min_size=1),
    st.text(alphabet="ab \né"),
)
def test_texts_always_add_up(texts: list[str], text: str) -> None:
    placed = aligned([Token(each) for each in texts], text)
    assert "".join(token.text for token in placed) == text
    assert len(placed) == len(texts)
