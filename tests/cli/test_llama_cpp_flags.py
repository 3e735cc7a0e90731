"""Flags for GGUF files: what they change, and where they mean nothing."""

from __future__ import annotations

import pytest

from trigreason.bundled import LRM_FILE, SRM_FILE
from trigreason.cli.llama_cpp import with_llama_cpp
from trigreason.cli.model_loading import loaded_files
from trigreason.configuration import PairSettings, PlannedPair, bundled_pair, engine_at
from trigreason.engines.embedded import CacheType, LlamaCppOptions
from trigreason.reasoning import Author


def pair(srm: str, lrm: str) -> PlannedPair:
    engines = {Author.SRM: engine_at(srm, "--srm"), Author.LRM: engine_at(lrm, "--lrm")}
    return PlannedPair("pair", PairSettings(srm="--srm", lrm="--lrm"), engines)


def test_flags_reach_files_and_leave_servers_alone() -> None:
    given = pair(str(SRM_FILE), "http://localhost:1/v1")
    changed = with_llama_cpp(given, 99, threads=3, cache_type=CacheType.Q8_0, mmap=None)
    srm, lrm = (changed.engines[author].settings for author in (Author.SRM, Author.LRM))
    assert srm.llama_cpp == LlamaCppOptions(threads=3, cache_type=CacheType.Q8_0)
    assert srm.context_tokens == 99
    assert lrm == given.engines[Author.LRM].settings


@pytest.mark.parametrize("plan", [bundled_pair(), pair("http://a/v1", "http://b/v1")])
def test_flags_without_a_file_are_refused(plan: PlannedPair) -> None:
    assert with_llama_cpp(plan, None, threads=None) is plan
    with pytest.raises(ValueError, match="--gpu-layers is for GGUF files"):
        with_llama_cpp(plan, None, gpu_layers=3)


def test_what_is_loaded_is_told_with_its_size() -> None:
    both = frozenset(Author)
    assert loaded_files(pair("http://a/v1", "http://b/v1"), both) is None
    told = loaded_files(pair(str(SRM_FILE), str(LRM_FILE)), both)
    assert told is not None
    assert told.startswith("srm.gguf (0.0")
    assert " GB) and lrm.gguf (0.0" in told
