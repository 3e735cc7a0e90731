"""What GGUF models need of memory; the bundled models stand for any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trigreason.bundled import LRM_FILE, SRM_FILE
from trigreason.engines.base import EngineFailed
from trigreason.engines.embedded import CacheType, FlashAttention, LlamaCppOptions, memory
from trigreason.engines.embedded.caches import Caches, caches_of
from trigreason.engines.embedded.memory import Loading, fitting, need_of

SRM = Loading(SRM_FILE, 1000, LlamaCppOptions())
LRM = Loading(LRM_FILE, 1000, LlamaCppOptions())


def cache(loading: Loading) -> float:
    need = need_of(loading)
    return need.per_token * need.tokens


def test_the_cache_grows_with_context_slots_and_precision() -> None:
    assert need_of(SRM).fixed > SRM_FILE.stat().st_size
    assert cache(SRM) > 0
    assert cache(replace(SRM, context_tokens=3000)) == 3 * cache(SRM)
    assert cache(replace(SRM, options=LlamaCppOptions(slots=4))) == 4 * cache(SRM)
    quantized = LlamaCppOptions(cache_type=CacheType.Q8_0)
    assert cache(replace(SRM, options=quantized)) == pytest.approx(cache(SRM) * 34 / 64)


def test_a_draft_model_and_its_cache_are_counted() -> None:
    drafted = need_of(replace(LRM, draft=SRM_FILE)).bytes
    assert drafted == need_of(LRM).bytes + need_of(SRM).bytes


def test_slots_are_lowered_to_what_fits_unless_they_are_configured() -> None:
    two = sum(need_of(replace(each, options=LlamaCppOptions(slots=2))).bytes for each in (SRM, LRM))
    assert [each.slots for each in fitting([SRM, LRM], 4, int(two) + 1)] == [2, 2]
    assert [each.slots for each in fitting([SRM, LRM], 4, None)] == [4, 4]
    fixed = replace(SRM, options=LlamaCppOptions(slots=3))
    assert [each.slots for each in fitting([fixed, LRM], 2, None)] == [3, 2]


def test_too_little_memory_says_what_to_lower() -> None:
    needs = [need_of(each) for each in (SRM, LRM)]
    half = sum(need.fixed + need.per_token * need.tokens / 2 for need in needs)
    with pytest.raises(EngineFailed) as caught:
        fitting([SRM, LRM], 2, int(half))
    assert "srm.gguf and lrm.gguf" in str(caught.value)
    assert "\n" not in str(caught.value)
    told = int(str(caught.value).partition("Lower context_tokens to ")[2].split(",")[0])
    assert told in (499, 500)
    lower = [replace(each, context_tokens=told) for each in (SRM, LRM)]
    assert fitting(lower, 1, int(half))


def test_models_too_large_for_any_context() -> None:
    with pytest.raises(EngineFailed, match="use smaller ones"):
        fitting([SRM, LRM], 1, 1000)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"slots": 0}, {"gpu_layers": -1}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="or more"):
        LlamaCppOptions(**wrong)  # type: ignore[arg-type]


def test_a_quantized_cache_needs_flash_attention() -> None:
    with pytest.raises(ValueError, match="needs flash attention"):
        LlamaCppOptions(flash_attention=FlashAttention.OFF, cache_type=CacheType.Q4_0)


def metadata(kind: str, **told: Any) -> dict[str, object]:
    """A model of 12 layers with 4 heads of width 16, two of them for keys and values."""
    attention = {"head_count": 4, "head_count_kv": 2}
    own: dict[str, Any] = {"block_count": 12, "embedding_length": 64}
    own |= {f"attention.{name}": value for name, value in attention.items()}
    own |= {name.replace("__", "."): value for name, value in told.items()}
    return {"general.architecture": kind} | {f"{kind}.{key}": each for key, each in own.items()}


WINDOW = {"attention__sliding_window": 1000}
STATE = {
    "ssm__inner_size": 10,
    "ssm__state_size": 3,
    "ssm__conv_kernel": 4,
    "ssm__group_count": 2,
}
LAYER = 2 * 32
"""Keys and values of a token in one layer."""
STATE_SIZE = (3 * 10 + 3 * (10 + 2 * 2 * 3)) * 4


@pytest.mark.parametrize(
    ("told", "full", "windowed", "recurrent"),
    [
        (metadata("llama"), 12, 0, 0),
        (metadata("gemma3", **WINDOW), 2, 10, 0),
        (metadata("gpt-oss", **WINDOW), 6, 6, 0),
        (metadata("new", **WINDOW, attention__sliding_window_pattern=4), 3, 9, 0),
        (
            metadata("new", **WINDOW, attention__sliding_window_pattern=[True, False, True] * 4),
            4,
            8,
            0,
        ),
        (metadata("new", **WINDOW), 12, 0, 0),  # it does not tell which layers
        (metadata("gemma3"), 12, 0, 0),
        (metadata("granitehybrid", **STATE, attention__head_count_kv=[0, 0, 2] * 4), 4, 0, 8),
        (metadata("qwen35", **STATE, full_attention_interval=4), 3, 0, 9),
    ],
)
def test_the_layers_tell_what_they_keep(
    told: dict[str, object], full: int, windowed: int, recurrent: int
) -> None:
    window = 1512 if "attention.sliding_window" in "".join(told) else 512
    kept = Caches(full * LAYER, windowed * LAYER, window, recurrent * STATE_SIZE)
    assert caches_of(told) == kept


def test_a_window_counts_no_more_than_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    told = metadata("gemma3", **WINDOW) | {"tokenizer.ggml.tokens": []}
    monkeypatch.setattr(memory, "read_metadata", lambda file: told)
    weights = SRM_FILE.stat().st_size
    for context, kept in ((1000, 1000), (1512, 1512), (9000, 1512)):
        need = need_of(replace(SRM, context_tokens=context, options=LlamaCppOptions(slots=3)))
        assert need.bytes == weights + 3 * LAYER * 2 * (2 * context + 10 * kept)


def test_the_estimate_can_be_overruled_as_its_error_says() -> None:
    with pytest.raises(EngineFailed, match=r"check_memory = false .* --no-check-memory"):
        fitting([SRM, LRM], 1, 1000)
    options = LlamaCppOptions(check_memory=False)
    unchecked = [replace(SRM, options=options), LRM]
    assert [each.slots for each in fitting(unchecked, 2, 1000)] == [2, 2]
