"""Flags for models that llama.cpp loads into this process."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import typer

from trigreason.cli.options import changed
from trigreason.configuration import PlannedPair
from trigreason.engines.embedded import CacheType, FlashAttention

_llama_cpp = partial(typer.Option, rich_help_panel="GGUF files")

Threads = Annotated[
    int | None,
    _llama_cpp(metavar="THREADS", help="Threads of each model. Default: every core."),
]
GpuLayers = Annotated[
    int | None,
    _llama_cpp(metavar="LAYERS", help="Layers of each model on the GPU. Default: as many as fit."),
]
ContextTokens = Annotated[
    int | None,
    _llama_cpp(
        min=1, metavar="TOKENS", help="Context of each model. Default: room for the budget."
    ),
]
Flash = Annotated[
    FlashAttention | None,
    _llama_cpp("--flash-attention", help="Default: llama.cpp decides."),
]
Cache = Annotated[
    CacheType | None,
    _llama_cpp(
        "--cache-type",
        help="Number format of the KV cache; less memory than f16 needs flash attention.",
    ),
]
Mmap = Annotated[
    bool | None,
    _llama_cpp("--mmap/--no-mmap", help="Map files into memory, or read them first. Default: map."),
]
CheckMemory = Annotated[
    bool | None,
    _llama_cpp(
        "--check-memory/--no-check-memory",
        help="Refuse, or load, what by estimate needs more memory than is free. Default: refuse.",
    ),
]


def with_llama_cpp(pair: PlannedPair, context_tokens: int | None, **flags: Any) -> PlannedPair:
    """The pair with its GGUF files loaded as the flags say; None is a flag that was not given.

    Raises:
        ValueError: no model of the pair is a file that llama.cpp loads, or a value is out of range.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if not given and context_tokens is None:
        return pair
    engines = dict(pair.engines)
    files = {author: each for author, each in engines.items() if each.settings.file}
    if not files:
        names = [*given, *(["context_tokens"] if context_tokens is not None else [])]
        flag = f"--{names[0].replace('_', '-')}"
        raise ValueError(f"{flag} is for GGUF files that you name, and this pair has none")
    for author, engine in files.items():
        update: dict[str, Any] = {"llama_cpp": changed(engine.settings.llama_cpp, **given)}
        if context_tokens is not None:
            update["context_tokens"] = context_tokens
        engines[author] = replace(engine, settings=engine.settings.model_copy(update=update))
    return replace(pair, engines=engines)
