"""Real language models, where TRIGREASON_MODELS names a folder that holds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

MODELS_VARIABLE = "TRIGREASON_MODELS"
QWEN = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SMOLLM = "smollm2-135m-instruct-q4_1.gguf"
"""A smaller model with another tokenizer and another template."""


def model_file(name: str) -> Path:
    """The file of a model; the test is skipped where no folder is named."""
    folder = os.environ.get(MODELS_VARIABLE)
    if not folder:
        pytest.skip(f"{MODELS_VARIABLE} names no folder of models")
    file = Path(folder).expanduser() / name
    assert file.exists(), f"{MODELS_VARIABLE} names a folder without {name}"
    return file
