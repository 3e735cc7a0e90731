"""Flags for models that llama.cpp loads into this process."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from trigreason.cli.options import changed
from trigreason.configuration import PlannedPair
from trigreason.engines.embedded import CacheType, FlashAttention

_PANEL = "GGUF files"

Threads = Annotated[
    int | None,
    typer.Option(
        metavar="THREADS",
        help="Threads of each model. Default: every core.",
        rich_help_panel=_PANEL,
    ),
]
GpuLayers = Annotated[
    int | None,
    typer.Option(
        metavar="LAYERS",
        help="Layers of each model on the GPU. Default: as many as fit.",
        rich_help_panel=_PANEL,
    ),
]
ContextTokens = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="TOKENS",
        help="Context of each model. Default: room for the budget.",
        rich_help_panel=_PANEL,
    ),
]
Flash = Annotated[
    FlashAttention | None,
    typer.Option("--flash-attention", help="Default: llama.cpp decides.", rich_help_panel=_PANEL),
]
Cache = Annotated[
    CacheType | None,
    typer.Option(
        "--cache-type",
        help="Number format of the KV cache; less memory than f16 needs flash attention.",
        rich_help_panel=_PANEL,
    ),
]
Mmap = Annotated[
    bool | None,
    typer.Option(
        "--mmap/--no-mmap",
        help="Map files into memory, or read them first. Default: map.",
        rich_help_panel=_PANEL,
    ),
]
CheckMemory = Annotated[
    bool | None,
    typer.Option(
        "--check-memory/--no-check-memory",
        help="Refuse, or load, what by estimate needs more memory than is free. Default: refuse.",
        rich_help_panel=_PANEL,
    ),
]


def with_llama_cpp(pair: PlannedPair, context_tokens: int | None, **flags: Any) -> PlannedPair:
    """The pair whose GGUF files are loaded as the flags say; None is a flag not given.

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
