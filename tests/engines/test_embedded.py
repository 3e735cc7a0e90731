"""llama.cpp in this process, with the models that come along; nothing hangs on what they say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import aiohttp
import pytest
import pytest_asyncio

from trigreason.bundled import CONTEXT_TOKENS, LRM_FILE, SRM_FILE, problems
from trigreason.engines.base import ContextTooLong, Finish, NotAModel, Prefix, Request, Sampling
from trigreason.engines.embedded import (
    SPINNING,
    EmbeddedEngine,
    LlamaCppOptions,
    check_gguf,
    load,
    threads_for,
)
from trigreason.engines.embedded.drafting import TOKENS, share_vocabulary
from trigreason.engines.gguf import read_metadata
from trigreason.reasoning import Message, Tags, Token, join_text

GREEDY = Sampling(temperature=0)
QUESTION = (Message("user", problems()[0].question),)


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[EmbeddedEngine]:
    engine = await load(SRM_FILE, context_tokens=CONTEXT_TOKENS)
    yield engine
    await engine.close()


async def written(
    engine: EmbeddedEngine, prefix: Prefix, max_tokens: int, sampling: Sampling = GREEDY
) -> list[Token]:
    async with engine.send(
        Request(prefix, sampling, max_tokens=max_tokens, alternatives=0)
    ) as stream:
        return [token async for tokens in stream for token in tokens]


def text_of(tokens: list[Token]) -> str:
    return join_text([token.text for token in tokens])


# Files


async def refused(path: Path) -> str:
    with pytest.raises(NotAModel) as caught:
        await load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_no_such_file(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in await refused(tmp_path / "none.gguf")


async def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in await refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"GG", b"GGML....", b"PK\x03\x04", b"\x00" * 4096])
async def test_no_gguf(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    assert "is no GGUF file" in await refused(file)


@pytest.mark.parametrize("kept", [4, 100, 20_000, 400_000])
async def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(SRM_FILE.read_bytes()[:kept])
    check_gguf(file)
    assert "llama.cpp cannot load it" in await refused(file)


# Threads


@pytest.mark.parametrize(("mib", "cores", "threads"), [(1, 8, 1), (5000, 8, 8), (64, 2, 2)])
def test_a_model_gets_all_cores_unless_it_is_tiny(
    tmp_path: Path, mib: int, cores: int, threads: int
) -> None:
    file = tmp_path / "model.gguf"
    with file.open("wb") as sparse:
        sparse.truncate(mib * 2**20)
    assert threads_for(file, cores) == threads


@pytest.mark.slow
@pytest.mark.parametrize(("users", "spinning"), [(None, "1000"), ("77", "77")])
def test_threads_spin_little_unless_the_user_says_otherwise(
    users: str | None, spinning: str
) -> None:
    """In a process of its own, since it counts at the first import of llama.cpp alone."""
    environ = {name: value for name, value in os.environ.items() if name != SPINNING}
    program = (
        "import os, sys, trigreason.engines.embedded.memory; "
        f"assert 'xllamacpp' in sys.modules; print(os.environ[{SPINNING!r}])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=environ if users is None else {**environ, SPINNING: users},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == spinning


# Draft models


async def test_a_draft_model_changes_no_text() -> None:
    plain = await load(LRM_FILE, context_tokens=CONTEXT_TOKENS)
    drafted = await load(LRM_FILE, context_tokens=CONTEXT_TOKENS, draft=SRM_FILE)
    assert plain.capabilities.logprobs
    assert not drafted.capabilities.logprobs
    texts = [text_of(await written(each, Prefix(QUESTION), 60)) for each in (plain, drafted)]
    assert texts[0] == texts[1]
    for each in (plain, drafted):
        await each.close()


async def test_a_draft_that_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "draft.gguf"
    file.write_bytes(SRM_FILE.read_bytes()[:100])
    for draft in (tmp_path / "none.gguf", file):
        with pytest.raises(NotAModel) as caught:
            await load(LRM_FILE, draft=draft)
        assert str(draft) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "tokens", "shared"),
    [
        ("gpt2", ["a", "b"], True),
        ("gpt2", ["a", "b", *["pad"] * 128], True),
        ("gpt2", ["a", "b", *["pad"] * 129], False),
        ("gpt2", ["a", "c"], False),
        ("llama", ["a", "b"], False),
    ],
)
def test_a_shared_vocabulary(kind: str, tokens: list[str], shared: bool) -> None:
    model = {"tokenizer.ggml.model": "gpt2", TOKENS: ["a", "b"]}
    draft = {"tokenizer.ggml.model": kind, TOKENS: tokens}
    assert share_vocabulary(model, draft) is share_vocabulary(draft, model) is shared


# Streams


async def test_what_the_server_says_of_itself(engine: EmbeddedEngine) -> None:
    assert engine.model == "srm"
    assert engine.capabilities.context_tokens == CONTEXT_TOKENS
    assert engine.template.render(QUESTION, thinking=True).endswith("<think>\n")


async def test_an_engine_can_be_closed_at_once() -> None:
    for _ in range(20):
        engine = await load(SRM_FILE, context_tokens=64)
        await engine.close()


async def test_slots_do_not_share_a_context() -> None:
    engine = await load(SRM_FILE, context_tokens=512, options=LlamaCppOptions(slots=3))
    assert engine.capabilities.context_tokens == 512
    await engine.close()


async def test_a_stream_tells_everything(engine: EmbeddedEngine) -> None:
    async with engine.send(
        Request(Prefix(QUESTION), GREEDY, max_tokens=7, alternatives=3)
    ) as stream:
        tokens = [token async for arrival in stream for token in arrival]
    assert len(tokens) == 7
    assert all(token.logprob is not None and token.logprob <= 0 for token in tokens)
    assert all(len(token.top) == 3 for token in tokens)
    assert stream.finish is Finish.LENGTH
    assert stream.usage.prompt_tokens is not None
    assert stream.usage.prompt_tokens > 50


async def test_the_model_ends_its_turn(engine: EmbeddedEngine) -> None:
    async with engine.send(Request(Prefix(QUESTION), GREEDY, max_tokens=900)) as stream:
        tokens = [token async for arrival in stream for token in arrival]
    assert stream.finish in (Finish.STOP, Finish.LENGTH)
    assert all(token.logprob is None for token in tokens)


@pytest.mark.parametrize("cut", [1, 2, 7, 30, 59])
async def test_a_continued_prefix_is_the_one_shot_completion(
    engine: EmbeddedEngine, cut: int
) -> None:
    whole = await written(engine, Prefix(QUESTION), 60)
    begun = text_of(whole[:cut])
    rest = await written(engine, Prefix(QUESTION, begun), len(whole) - cut)
    assert begun + text_of(rest) == text_of(whole)


@pytest.mark.parametrize(
    ("tags", "shown"), [(None, ""), (Tags("<|im_start|>", "</think>"), "<|im_start|>")]
)
async def test_tags_that_are_special_tokens_are_shown(
    engine: EmbeddedEngine, tags: Tags | None, shown: str
) -> None:
    token = read_metadata(SRM_FILE)["tokenizer.ggml.tokens"].index("<|im_start|>")
    own = engine.tags
    engine.tags = tags
    request = Request(Prefix(QUESTION), GREEDY, 1, 0)
    body = engine.request_body(request) | {"logit_bias": [[token, 1000.0]]}
    engine.tags = own
    async with engine.running(body, engine.reading(request)) as stream:
        tokens = [token async for arrived in stream for token in arrived]
    assert "".join(token.text for token in tokens) == shown


async def test_a_seed_is_deterministic(engine: EmbeddedEngine) -> None:
    warm = Sampling(temperature=1.5, seed=7)
    first, second = [await written(engine, Prefix(QUESTION), 40, warm) for _ in range(2)]
    other = await written(engine, Prefix(QUESTION), 40, Sampling(temperature=1.5, seed=8))
    assert text_of(first) == text_of(second) != text_of(other)


async def test_a_prompt_that_is_too_long(engine: EmbeddedEngine) -> None:
    long = Prefix((Message("user", "Alice and Bob swap. " * 400),))
    with pytest.raises(ContextTooLong) as caught:
        await written(engine, long, 5)
    assert "\n" not in str(caught.value)
    assert await written(engine, Prefix(QUESTION), 2), "the engine is still good"


async def test_a_full_context_ends_the_stream(engine: EmbeddedEngine) -> None:
    long = Prefix((Message("user", "Who?"),), "Alice and Bob swap. " * 90)
    async with engine.send(
        Request(long, Sampling(temperature=5, top_p=1), max_tokens=4000)
    ) as stream:
        tokens = [token async for arrival in stream for token in arrival]
    assert len(tokens) < CONTEXT_TOKENS
    assert stream.finish is not None


async def test_leaving_a_stream_frees_the_slot(engine: EmbeddedEngine) -> None:
    endless = Sampling(temperature=5, top_p=1)
    for _ in range(3):
        async with engine.send(Request(Prefix(QUESTION), endless, max_tokens=800)) as stream:
            async for _tokens in stream:
                break
        left = perf_counter()
        await written(engine, Prefix(QUESTION), 1)
        assert perf_counter() - left < 1


async def test_slots_are_idle_after_leaving(engine: EmbeddedEngine) -> None:
    async with engine.send(Request(Prefix(QUESTION), GREEDY, max_tokens=800)) as stream:
        await anext(aiter(stream))
    left = perf_counter()
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(engine.url.removesuffix("/v1") + "/slots") as response:
                slots = await response.json()
            if not any(slot["is_processing"] for slot in slots):
                return
            assert perf_counter() - left < 1
            await asyncio.sleep(0.01)


async def test_two_engines_at_once(engine: EmbeddedEngine) -> None:
    other = await load(LRM_FILE, context_tokens=CONTEXT_TOKENS)
    alone = [await written(each, Prefix(QUESTION), 30) for each in (engine, other)]
    together = await asyncio.gather(
        *(written(each, Prefix(QUESTION), 30) for each in (engine, other))
    )
    assert [text_of(each) for each in together] == [text_of(each) for each in alone]
    await other.close()


async def test_fifty_requests_in_a_row(engine: EmbeddedEngine) -> None:
    first = await written(engine, Prefix(QUESTION), 3)
    for _ in range(50):
        assert text_of(await written(engine, Prefix(QUESTION), 3)) == text_of(first)


@pytest.mark.parametrize("text", ["😀", "é", "漢字", "👩‍👩‍👧", "\u2028", "a\x00b", "\\n\"'"])
async def test_any_text_can_be_asked_and_continued(engine: EmbeddedEngine, text: str) -> None:
    asked = Prefix((Message("user", f"Say {text}."),), f"{text} is what I say: {text}")
    tokens = await written(engine, asked, 8)
    text_of(tokens).encode()


async def test_random_bytes_join_to_text(engine: EmbeddedEngine) -> None:
    """Hot sampling over a byte-level vocabulary writes halves of characters and stray bytes."""
    wild = Sampling(temperature=5, top_p=1, seed=3)
    tokens = await written(engine, Prefix(QUESTION), 400, wild)
    assert len(tokens) > 100
    text_of(tokens).encode()


async def test_an_engine_closes_twice(engine: EmbeddedEngine) -> None:
    await written(engine, Prefix(QUESTION), 1)
    await engine.close()
    await engine.close()


# Prompts that left their slot


@pytest.mark.parametrize(("kept_bytes", "is_known"), [(None, True), (10**6, True), (0, False)])
async def test_a_prompt_that_left_its_slot_is_kept_within_bounds(
    kept_bytes: int | None, is_known: bool
) -> None:
    engine = await load(SRM_FILE, context_tokens=CONTEXT_TOKENS, kept_bytes=kept_bytes)
    known = []
    for fruit in ("apple", "plum", "apple"):
        words = " ".join(f"{fruit}{number}" for number in range(30))
        async with engine.send(
            Request(Prefix((Message("user", words),)), GREEDY, max_tokens=2)
        ) as stream:
            async for _ in stream:
                pass
        read, cached = stream.usage.prompt_tokens, stream.usage.cached_tokens
        assert read is not None
        known.append(cached == read - 1)
    await engine.close()
    assert known == [False, False, is_known]
