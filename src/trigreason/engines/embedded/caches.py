"""What the layers of a GGUF model keep of what they have read, told by the file's metadata.

A layer of attention keeps keys and values of every token of the context, one with a sliding window
those of so many tokens, and a recurrent one a state that does not grow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BATCH_TOKENS = 512
"""llama.cpp computes so many tokens at a time; a window's cache has room for as many more."""

STATE_BYTES = 4
WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}
"""Every so many layers one has no window, where llama.cpp knows that and the file need not tell."""


@dataclass(frozen=True, slots=True)
class Caches:
    """What one slot keeps.

    Attributes:
        values: keys and values of a token in the layers without a window, in numbers.
        windowed: the same in the layers with one.
        window: tokens that these keep; no more than the context.
        state: of the recurrent layers, in bytes.
    """

    values: float
    windowed: float
    window: int
    state: int


def caches_of(told: Mapping[str, Any]) -> Caches:
    """The caches of a model with this metadata.

    Layers of which it does not tell what they are count as attention without a window, so what
    comes out may be too much.
    """
    kind = told.get("general.architecture")

    def get(key: str, default: Any = 0) -> Any:
        return told.get(f"{kind}.{key}", default)

    layers = int(get("block_count"))
    heads = [each or 1 for each in _each(get("attention.head_count", 1), layers)]
    kv_heads = _each(get("attention.head_count_kv", heads), layers)
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


def _each(told: Any, layers: int) -> Sequence[float]:
    """A number for each layer, of one for all or of a list."""
    listed = list(told) if isinstance(told, list) else [told] * layers
    return listed + [listed[-1] if listed else 1] * (layers - len(listed))


def _has_window(pattern: Any, layer: int) -> bool:
    if isinstance(pattern, list):
        return layer < len(pattern) and bool(pattern[layer])
    return layer % max(1, int(pattern)) < int(pattern) - 1
