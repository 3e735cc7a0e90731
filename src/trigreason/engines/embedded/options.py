"""The user's options for loading and running a GGUF file with llama.cpp."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FlashAttention(StrEnum):
    AUTO = "auto"
    ON = "on"
    OFF = "off"


class CacheType(StrEnum):
    """The number format of the KV cache."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"

    @property
    def bytes_per_value(self) -> float:
        """Quantized formats store blocks of 32 values, each with a 16-bit scale."""
        return {CacheType.F16: 2.0, CacheType.Q8_0: 34 / 32, CacheType.Q4_0: 18 / 32}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCppOptions:
    """Options of one model.

    Attributes:
        threads: None for all cores, or one for a very small model.
        gpu_layers: layers on the GPU; None for as many as fit. Builds without a GPU ignore it.
        slots: requests served at once; None lets the command choose.
        flash_attention: ``auto`` lets llama.cpp decide.
        cache_type: a quantized one needs flash attention.
        mmap: map the file into memory instead of reading all of it first.
        check_memory: refuse to load a model whose estimated need exceeds the free memory. The
            estimate is too high if the metadata does not say which layers have smaller caches.
    """

    threads: int | None = None
    gpu_layers: int | None = None
    slots: int | None = None
    flash_attention: FlashAttention = FlashAttention.AUTO
    cache_type: CacheType = CacheType.F16
    mmap: bool = True
    check_memory: bool = True

    def __post_init__(self) -> None:
        for name, value, least in (
            ("threads", self.threads, 1),
            ("gpu_layers", self.gpu_layers, 0),
            ("slots", self.slots, 1),
        ):
            if value is not None and value < least:
                raise ValueError(f"{name} must be {least} or more, not {value}")
        if self.flash_attention is FlashAttention.OFF and self.cache_type is not CacheType.F16:
            raise ValueError(
                f"cache_type {self.cache_type} needs flash attention; "
                'take out flash_attention = "off", or use cache_type f16'
            )
