"""Speculative decoding: a small model drafts tokens, and the large one verifies them in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trigreason.engines.base import NotAModel
from trigreason.engines.gguf import DamagedGguf, read_metadata

TOKENS = "tokenizer.ggml.tokens"
PADDING = 128
"""Models of one family pad their vocabularies differently; llama.cpp allows this difference."""


def check_draft(model: Path, draft: Path) -> None:
    """Raise NotAModel unless ``draft`` has the vocabulary of ``model``."""
    try:
        fits = share_vocabulary(read_metadata(model), read_metadata(draft))
    except (DamagedGguf, OSError) as error:
        where = f"{model} with draft {draft}"
        raise NotAModel(f"one of them {error}", where, "Download it again.") from error
    if not fits:
        raise NotAModel(
            f"cannot draft for {model.name}, since it has another vocabulary",
            str(draft),
            "Take a smaller model of the same family, or take draft out.",
        )


def share_vocabulary(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the two models' token ids mean the same tokens, by their files' metadata."""
    kind = "tokenizer.ggml.model"
    tokens, others = one.get(TOKENS, ()), other.get(TOKENS, ())
    shared = min(len(tokens), len(others))
    return (
        one.get(kind) == other.get(kind)
        and abs(len(tokens) - len(others)) <= PADDING
        and tokens[:shared] == others[:shared]
    )
