"""The pair's tokenizer: what it keeps whole, and that weights follow the text."""

from itertools import islice

import pytest

pytest.importorskip("tokenizers", reason="needs training/requirements.txt")

from tokenizers import Tokenizer

from training.data import examples
from training.families import FAMILIES
from training.tokenizer import SPECIAL, TEXTUAL, encode_weighted, learn

VOCAB = 640


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    documents = islice(examples(1, dict.fromkeys(FAMILIES, 1.0), judge_share=0.1), 500)
    return learn((document.text for document in documents), VOCAB)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    ids = tokenizer.encode(text).ids
    return [tokenizer.decode([token], skip_special_tokens=False) for token in ids]


def test_it_has_exactly_the_wanted_size(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() == VOCAB


def test_too_little_text_is_refused() -> None:
    with pytest.raises(ValueError, match="give more text"):
        learn(["one line"], VOCAB)


@pytest.mark.parametrize("token", SPECIAL + TEXTUAL)
def test_added_tokens_are_whole(tokenizer: Tokenizer, token: str) -> None:
    assert pieces(tokenizer, f"a{token}b") == ["a", token, "b"]


@pytest.mark.parametrize("token", TEXTUAL)
def test_thinking_marks_come_out_as_text(tokenizer: Tokenizer, token: str) -> None:
    assert tokenizer.decode(tokenizer.encode(token).ids, skip_special_tokens=True) == token


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    assert pieces(tokenizer, "1207") == ["1", "2", "0", "7"]


@pytest.mark.parametrize("digit", "09")
def test_the_judge_prompt_ends_where_a_token_ends(tokenizer: Tokenizer, digit: str) -> None:
    prompt = tokenizer.encode("assistant\nScore: ").ids
    assert tokenizer.encode(f"assistant\nScore: {digit}").ids == [
        *prompt,
        tokenizer.token_to_id(digit),
    ]


@pytest.mark.parametrize("text", ["True and ( not False ) is", "naïve 雪 \t x", "a\n\n\nb  c"])
def test_any_text_survives(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_weights_follow_the_segments(tokenizer: Tokenizer) -> None:
    for document in islice(examples(2, dict.fromkeys(FAMILIES, 1.0), judge_share=0.2), 50):
        ids, weights, _ = encode_weighted(tokenizer, document.segments)
        assert ids == tokenizer.encode(document.text).ids
        learned = [token for token, weight in zip(ids, weights, strict=True) if weight > 0]
        expected = "".join(text for text, weight in document.segments if weight > 0)
        assert tokenizer.decode(learned, skip_special_tokens=False) == expected
