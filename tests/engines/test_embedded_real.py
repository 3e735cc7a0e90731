"""A real language model in this process; TRIGREASON_MODELS names the folder with its file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.real_models import SMOLLM
from trigreason.engines.base import NotAModel, Prefix, Request, Sampling
from trigreason.engines.embedded import CacheType, EmbeddedEngine, LlamaCppOptions, load
from trigreason.engines.embedded.memory import Loading, need_of
from trigreason.reasoning import Message, Token, join_text

FOLDER = os.environ.get("TRIGREASON_MODELS")
FILE = Path(FOLDER or "") / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
ASKED = Prefix((Message("user", "Count from 1 to 20."),), thinking=False)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="TRIGREASON_MODELS names no folder with models"),
]


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[EmbeddedEngine]:
    engine = await load(FILE, context_tokens=256, options=LlamaCppOptions(slots=2))
    yield engine
    await engine.close()


async def written(engine: EmbeddedEngine, sampling: Sampling, max_tokens: int) -> list[Token]:
    async with engine.send(
        Request(ASKED, sampling, max_tokens=max_tokens, alternatives=1)
    ) as stream:
        return [token async for arrival in stream for token in arrival]


async def busy(engine: EmbeddedEngine) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(engine.url.removesuffix("/v1") + "/slots") as response,
    ):
        return sum(slot["is_processing"] for slot in await response.json())


async def test_logprobs_are_raw_whatever_the_temperature(engine: EmbeddedEngine) -> None:
    """Where two samplings choose the same token after the same text, its logprob is the same."""
    cold = await written(engine, Sampling(temperature=0), 12)
    warm = await written(engine, Sampling(temperature=0.3, top_p=0.5), 12)
    same = [(a, b) for a, b in zip(cold, warm, strict=False) if a.text == b.text]
    assert join_text([a.text for a, _ in same[:3]]) == join_text([a.text for a in cold[:3]])
    for one, other in same[:3]:
        assert one.logprob is not None
        assert -20 < one.logprob < 0
        assert other.logprob == pytest.approx(one.logprob, abs=1e-3)


async def test_slots_work_at_the_same_time_and_a_closed_stream_frees_its_own(
    engine: EmbeddedEngine,
) -> None:
    endless = Sampling(temperature=1.5, top_p=1)
    async with (
        engine.send(Request(ASKED, endless, max_tokens=200)) as one,
        engine.send(Request(ASKED, endless, max_tokens=200)) as other,
    ):
        await asyncio.gather(anext(aiter(one)), anext(aiter(other)))
        assert await busy(engine) == 2
    for _ in range(100):
        if not await busy(engine):
            return
        await asyncio.sleep(0.1)
    pytest.fail("a closed stream still holds its slot after 10 seconds")


async def test_a_quantized_cache_and_a_file_that_is_read_first() -> None:
    options = LlamaCppOptions(cache_type=CacheType.Q8_0, mmap=False, gpu_layers=99)
    engine = await load(FILE, context_tokens=256, options=options)
    assert len(await written(engine, Sampling(temperature=0), 5)) == 5
    await engine.close()


def test_the_cache_is_as_large_as_llama_cpp_makes_it() -> None:
    """24 layers with 2 heads of 64 keys and 64 values, two bytes each."""
    assert need_of(Loading(FILE, 1000, LlamaCppOptions())).per_token == 24 * 2 * 128 * 2


@pytest.mark.parametrize("model", [FILE.name, "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"])
async def test_a_draft_model_changes_no_text(model: str) -> None:
    file = FILE.with_name(model)
    if not file.exists():
        pytest.skip(f"TRIGREASON_MODELS names a folder without {model}")
    texts = []
    for draft in (None, FILE):
        engine = await load(file, context_tokens=256, draft=draft)
        tokens = await written(engine, Sampling(temperature=0), 24)
        texts.append(join_text([token.text for token in tokens]))
        await engine.close()
    assert texts[0] == texts[1]
    assert texts[0]


async def test_a_draft_model_of_another_vocabulary_is_refused() -> None:
    with pytest.raises(NotAModel, match="it has another vocabulary") as caught:
        await load(FILE, draft=FILE.with_name(SMOLLM))
    assert "\n" not in str(caught.value)
