"""The pair's tokenizer: byte-level BPE with Qwen's pre-tokenizer, learned from generated documents.

`python -m training.tokenizer FILE` learns it and saves it.

Ids run: 256 bytes, then merges, then the added tokens. `<think>` and `</think>` are added but not
special, so that they come out as text in a stream, as they do with Qwen3.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.data import examples
from training.recipes import FAMILIES, VOCAB

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
THINK, END_THINK = "<think>", "</think>"
SPECIAL = (PAD, START, END)
TEXTUAL = (THINK, END_THINK)
DOCUMENTS = 10_000

# What llama.cpp calls "qwen2": digits stand alone, a word takes the space before it along.
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def learn(texts: Iterable[str], vocab: int) -> Tokenizer:
    """A tokenizer of exactly `vocab` tokens, added ones included, from plain texts.

    Raises:
        ValueError: the texts are too few to yield that many merges.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab - len(SPECIAL) - len(TEXTUAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((_without_added(text) for text in texts), trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in TEXTUAL])
    if tokenizer.get_vocab_size() != vocab:
        raise ValueError(
            f"{tokenizer.get_vocab_size()} tokens learned, {vocab} wanted: give more text"
        )
    return tokenizer


def _without_added(text: str) -> str:
    for token in SPECIAL + TEXTUAL:
        text = text.replace(token, "\n")
    return text


def load(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def encode_weighted(
    tokenizer: Tokenizer, segments: Sequence[tuple[str, float]]
) -> tuple[list[int], list[float], list[tuple[int, int]]]:
    """Ids of the concatenated segments, the weight of the segment that each ends in, and spans.

    The text is encoded as a whole, never segment by segment, because that is how a server will
    encode it.
    """
    encoding = tokenizer.encode("".join(text for text, _ in segments))
    weights: list[float] = []
    remaining = iter(segments)
    end, weight = 0, 0.0
    for _, token_end in encoding.offsets:
        while token_end > end:
            text, weight = next(remaining)
            end += len(text)
        weights.append(weight)
    return encoding.ids, weights, encoding.offsets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    file.parent.mkdir(parents=True, exist_ok=True)
    documents = examples(seed=0, mix=dict.fromkeys(FAMILIES, 1.0), judge_share=0.1)
    learn((document.text for document in islice(documents, DOCUMENTS)), VOCAB).save(str(file))


if __name__ == "__main__":
    main()
