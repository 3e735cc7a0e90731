"""What GGUF models need of memory; the bundled models stand for any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trigreason.bundled import LRM_FILE, SRM_FILE
from trigreason.engines.base import EngineFailed
from trigreason.engines.embedded import CacheType, FlashAttention, LlamaCppOptions
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
