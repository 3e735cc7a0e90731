"""Estimates the memory that GGUF models need before they are loaded, and what is available."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xllamacpp

from trigreason.engines.base import EngineFailed
from trigreason.engines.embedded.caches import BATCH_TOKENS, caches_of
from trigreason.engines.embedded.options import LlamaCppOptions
from trigreason.engines.gguf import DamagedGguf, read_metadata

LOGIT_BYTES = 4
GB = 10**9


@dataclass(frozen=True, slots=True)
class Loading:
    """A GGUF file and how to load it; ``context_tokens`` is per slot.

    ``draft`` is the file of its draft model, which has an equally long KV cache. ``kept_bytes``
    bounds the memory for caches of prompts that left their slots; None for as much as the KV
    cache of the slots.
    """

    file: Path
    context_tokens: int
    options: LlamaCppOptions
    draft: Path | None = None
    kept_bytes: int | None = None

    @property
    def slots(self) -> int:
        return self.options.slots or 1

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file,) if self.draft is None else (self.file, self.draft)


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes: ``fixed`` for weights, buffers and caches of constant size, ``per_token`` of context
    for the other caches."""

    fixed: int
    per_token: float
    tokens: int

    @property
    def cache(self) -> float:
        return self.per_token * self.tokens

    @property
    def bytes(self) -> float:
        return self.fixed + self.cache


def need_of(loading: Loading) -> Need:
    """The memory that a model needs; a damaged file counts with its size, since loading fails."""
    needs = [_need_of(file, loading) for file in loading.files]
    fixed = sum(need.fixed for need in needs)
    return Need(fixed, sum(need.per_token for need in needs), needs[0].tokens)


def _need_of(file: Path, loading: Loading) -> Need:
    weights = file.stat().st_size
    tokens = loading.context_tokens * loading.slots
    try:
        metadata = read_metadata(file)
    except (DamagedGguf, ValueError):
        return Need(weights, 0.0, tokens)
    caches = caches_of(metadata)
    value_bytes = loading.options.cache_type.bytes_per_value
    logits = (
        len(metadata.get("tokenizer.ggml.tokens", ())) * min(BATCH_TOKENS, tokens) * LOGIT_BYTES
    )
    fixed = weights + logits + caches.state * loading.slots
    if caches.window < loading.context_tokens:
        fixed += int(caches.windowed * value_bytes * caches.window * loading.slots)
        return Need(fixed, caches.values * value_bytes, tokens)
    return Need(fixed, (caches.values + caches.windowed) * value_bytes, tokens)


def available_bytes() -> int | None:
    """The memory that this process can still allocate, GPUs included; None if unknown."""
    host = _free_on_host()
    if host is None:
        return None
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    devices = (device for device in xllamacpp.get_device_info() if device["type"] != cpu)
    return min(host, _left_in_group(Path("/sys/fs/cgroup")) or host) + sum(
        int(device["memory_free"]) for device in devices
    )


def fitting(loadings: Sequence[Loading], slots: int, free: int | None) -> list[Loading]:
    """The models with as many slots as fit, up to ``slots``, unless their options name a number.

    Memory beyond their need is left to the caches of prompts (``kept_bytes``). If one model's
    options switch ``check_memory`` off, nothing is checked.

    Raises:
        EngineFailed: the models need more than ``free`` bytes.
    """
    if not all(loading.options.check_memory for loading in loadings):
        free = None
    for count in range(slots, 0, -1):
        tried = [_with_slots(loading, count) for loading in loadings]
        needs = [need_of(loading) for loading in tried]
        if free is None:
            return tried
        if (spare := free - sum(need.bytes for need in needs)) >= 0:
            share = min(1.0, spare / (sum(need.cache for need in needs) or 1.0))
            return [
                replace(loading, kept_bytes=int(need.cache * share))
                for loading, need in zip(tried, needs, strict=True)
            ]
    assert free is not None, "without a limit everything fits"
    raise _too_little(tried, needs, free)


def _with_slots(loading: Loading, slots: int) -> Loading:
    options = loading.options
    return loading if options.slots else replace(loading, options=replace(options, slots=slots))


def _too_little(loadings: Sequence[Loading], needs: Sequence[Need], free: int) -> EngineFailed:
    fixed = sum(need.fixed for need in needs)
    cache = sum(need.cache for need in needs)
    if fixed >= free or not cache:
        advice = f"The models alone take {fixed / GB:.1f} GB; use smaller ones."
    else:
        share = (free - fixed) / cache
        tokens = min(int(loading.context_tokens * share) for loading in loadings)
        few = " and slots to 1" if any(loading.slots > 1 for loading in loadings) else ""
        advice = f"Lower context_tokens to {tokens}{few}, or take a smaller cache_type."
    return EngineFailed(
        f"needs about {(fixed + cache) / GB:.1f} GB of memory, and {free / GB:.1f} GB are free",
        " and ".join(file.name for loading in loadings for file in loading.files),
        f"{advice} If the estimate is wrong, load them without the check: "
        "check_memory = false under llama_cpp, or --no-check-memory.",
    )


def _free_on_host() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = {key: value for key, _, value in (line.partition(":") for line in lines)}
    available = sizes.get("MemAvailable")
    return int(available.split()[0]) * 1024 if available else None


def _left_in_group(folder: Path) -> int | None:
    """What a container's limit leaves, with reclaimable file pages; None without a limit."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return None
    if limit == "max":
        return None
    files = sum(int(line.split()[1]) for line in stat if line.startswith("inactive_file "))
    return max(1, int(limit) - used + files)
