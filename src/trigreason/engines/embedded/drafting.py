"""Speculative decoding: a small model drafts tokens, and the model itself checks them at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trigreason.engines.base import NotAModel
from trigreason.engines.gguf import DamagedGguf, read_metadata

TOKENS = "tokenizer.ggml.tokens"
PADDING = 128
"""Sizes of one family fill their vocabularies up to different lengths; llama.cpp allows so much."""


def check_draft(model: Path, draft: Path) -> None:
    """Raise NotAModel unless ``draft`` can draft for ``model``: both have one vocabulary."""
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
    """Whether the same number is the same token to both, by the metadata of their files."""
    kind = "tokenizer.ggml.model"
    tokens, others = one.get(TOKENS, ()), other.get(TOKENS, ())
    shared = min(len(tokens), len(others))
    return (
        one.get(kind) == other.get(kind)
        and abs(len(tokens) - len(others)) <= PADDING
        and tokens[:shared] == others[:shared]
    )
