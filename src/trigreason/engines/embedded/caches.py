"""The size of a GGUF model's caches, computed from the file's metadata.

An attention layer stores keys and values of every token of the context, one with a sliding window
those of the window's tokens, and a recurrent layer a state of constant size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BATCH_TOKENS = 512
"""llama.cpp's batch size (tokens); a window's cache has room for as many more."""

STATE_BYTES = 4
WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}
"""Every n-th layer has no window: architectures for which llama.cpp knows n without metadata."""


@dataclass(frozen=True, slots=True)
class Caches:
    """The caches of one slot.

    Attributes:
        values: numbers stored per token (keys and values) in the layers without a window.
        windowed: the same in the layers with a window.
        window: tokens that these layers store, if the context is longer.
        state: bytes of the recurrent layers' state.
    """

    values: float
    windowed: float
    window: int
    state: int


def caches_of(metadata: Mapping[str, Any]) -> Caches:
    """The caches of a model with this metadata.

    Layers of unknown kind count as attention without a window, so the result may be too large.
    """
    kind = metadata.get("general.architecture")

    def get(key: str, default: Any = 0) -> Any:
        return metadata.get(f"{kind}.{key}", default)

    layers = int(get("block_count"))
    heads = [count or 1 for count in _per_layer(get("attention.head_count", 1), layers)]
    kv_heads = _per_layer(get("attention.head_count_kv", heads), layers)
    interval = int(get("full_attention_interval"))
    window = int(get("attention.sliding_window"))
    pattern = get("attention.sliding_window_pattern", WINDOW_PERIODS.get(str(kind), 1))
    values = windowed = 0.0
    recurrent = 0
    for layer in range(layers):
        if not kv_heads[layer] or (interval and (layer + 1) % interval):
            recurrent += 1
            continue
        width = get("embedding_length") / heads[layer]
        of_one = get("attention.key_length", width) + get("attention.value_length", width)
        if window and _has_window(pattern, layer):
            windowed += kv_heads[layer] * of_one
        else:
            values += kv_heads[layer] * of_one
    inner, size = get("ssm.inner_size"), get("ssm.state_size")
    convolved = max(0, get("ssm.conv_kernel") - 1) * (inner + 2 * get("ssm.group_count") * size)
    state = int(recurrent * (size * inner + convolved) * STATE_BYTES)
    return Caches(values, windowed, window + BATCH_TOKENS, state)


def _per_layer(value: Any, layers: int) -> Sequence[float]:
    """One number per layer, from a single number or a list."""
    listed = list(value) if isinstance(value, list) else [value] * layers
    return listed + [listed[-1] if listed else 1] * (layers - len(listed))


def _has_window(pattern: Any, layer: int) -> bool:
    if isinstance(pattern, list):
        return layer < len(pattern) and bool(pattern[layer])
    return layer % max(1, int(pattern)) < int(pattern) - 1
