"""llama.cpp inside this process, for GGUF files and for the bundled pair."""

from trigreason.engines.embedded._openmp import SPINNING  # first, since it prepares xllamacpp
from trigreason.engines.embedded.engine import (
    CONTEXT_TOKENS,
    EmbeddedEngine,
    check_gguf,
    load,
)
from trigreason.engines.embedded.options import CacheType, FlashAttention, LlamaCppOptions
from trigreason.engines.embedded.threads import available_cores, threads_for

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
