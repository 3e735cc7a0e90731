"""What GGUF models need of memory, estimated before they are loaded, and what is available."""

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
    """A GGUF file and how it is to be loaded; ``context_tokens`` is per slot.

    ``draft`` is the file of the model that drafts for it, with a KV cache as long.
    """

    file: Path
    context_tokens: int
    options: LlamaCppOptions
    draft: Path | None = None

    @property
    def slots(self) -> int:
        return self.options.slots or 1

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file,) if self.draft is None else (self.file, self.draft)


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes: ``fixed`` for weights, computing and caches that a longer context does not enlarge,
    ``per_token`` of context for the others."""

    fixed: int
    per_token: float
    tokens: int

    @property
    def bytes(self) -> float:
        return self.fixed + self.per_token * self.tokens


def need_of(loading: Loading) -> Need:
    """The memory that a model needs; of a damaged file its size, since loading will refuse it."""
    needs = [_need_of(file, loading) for file in loading.files]
    fixed = sum(need.fixed for need in needs)
    return Need(fixed, sum(need.per_token for need in needs), needs[0].tokens)


def _need_of(file: Path, loading: Loading) -> Need:
    weights = file.stat().st_size
    tokens = loading.context_tokens * loading.slots
    try:
        told = read_metadata(file)
    except (DamagedGguf, ValueError):
        return Need(weights, 0.0, tokens)
    caches = caches_of(told)
    value_bytes = loading.options.cache_type.bytes_per_value
    logits = len(told.get("tokenizer.ggml.tokens", ())) * min(BATCH_TOKENS, tokens) * LOGIT_BYTES
    fixed = weights + logits + caches.state * loading.slots
    if caches.window < loading.context_tokens:
        fixed += int(caches.windowed * value_bytes * caches.window * loading.slots)
        return Need(fixed, caches.values * value_bytes, tokens)
    return Need(fixed, (caches.values + caches.windowed) * value_bytes, tokens)


def available_bytes() -> int | None:
    """Memory that this process can still take, GPUs included; None where it is not known."""
    host = _free_on_host()
    if host is None:
        return None
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    devices = (each for each in xllamacpp.get_device_info() if each["type"] != cpu)
    return min(host, _left_in_group(Path("/sys/fs/cgroup")) or host) + sum(
        int(each["memory_free"]) for each in devices
    )


def fitting(loadings: Sequence[Loading], slots: int, free: int | None) -> list[Loading]:
    """The models with up to ``slots`` slots where their options name no number.

    Where the options of one say so, whatever is free is enough.

    Raises:
        EngineFailed: they need more than ``free`` bytes.
    """
    if not all(loading.options.check_memory for loading in loadings):
        free = None
    for each in range(slots, 0, -1):
        tried = [_with_slots(loading, each) for loading in loadings]
        needs = [need_of(loading) for loading in tried]
        if free is None or sum(need.bytes for need in needs) <= free:
            return tried
    assert free is not None, "without a limit everything fits"
    raise _too_little(tried, needs, free)


def _with_slots(loading: Loading, slots: int) -> Loading:
    options = loading.options
    return loading if options.slots else replace(loading, options=replace(options, slots=slots))


def _too_little(loadings: Sequence[Loading], needs: Sequence[Need], free: int) -> EngineFailed:
    fixed = sum(need.fixed for need in needs)
    cache = sum(need.per_token * need.tokens for need in needs)
    if fixed >= free or not cache:
        advice = f"The models alone take {fixed / GB:.1f} GB; use smaller ones."
    else:
        share = (free - fixed) / cache
        tokens = min(int(each.context_tokens * share) for each in loadings)
        few = " and slots to 1" if any(each.slots > 1 for each in loadings) else ""
        advice = f"Lower context_tokens to {tokens}{few}, or take a smaller cache_type."
    return EngineFailed(
        f"needs about {(fixed + cache) / GB:.1f} GB of memory, and {free / GB:.1f} GB are free",
        " and ".join(file.name for each in loadings for file in each.files),
        f"{advice} If you know better than this estimate, load them all the same with "
        "check_memory = false under llama_cpp, or --no-check-memory.",
    )


def _free_on_host() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = {key: value for key, _, value in (line.partition(":") for line in lines)}
    told = sizes.get("MemAvailable")
    return int(told.split()[0]) * 1024 if told else None


def _left_in_group(folder: Path) -> int | None:
    """What a container's limit leaves; pages of files can be given back. None without a limit."""
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
