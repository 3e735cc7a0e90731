"""llama.cpp inside this process, for GGUF files and for the bundled pair."""

# isort: off
# first, since it prepares xllamacpp
from trigreason.engines.embedded.threads import SPINNING, available_cores, threads_for

# isort: on
from trigreason.engines.embedded.engine import (
    CONTEXT_TOKENS,
    EmbeddedEngine,
    check_gguf,
    load,
)
from trigreason.engines.embedded.options import CacheType, FlashAttention, LlamaCppOptions

__all__ = [
    "CONTEXT_TOKENS",
    "SPINNING",
    "CacheType",
    "EmbeddedEngine",
    "FlashAttention",
    "LlamaCppOptions",
    "available_cores",
    "check_gguf",
    "load",
    "threads_for",
]
