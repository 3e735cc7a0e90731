"""Every dialect of raw completions that cannot run here, against its double: one set of rules."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from tests.conftest import soon
from tests.doubles.common import SCRIPT, TEXT, Double, Manners, serve
from tests.doubles.fireworks import FireworksDouble
from tests.doubles.sglang import SglangDouble
from tests.doubles.together import TogetherDouble
from trigreason.engines.base import (
    Capabilities,
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    Finish,
    LogprobScale,
    Prefix,
    Request,
    Sampling,
    TokenStream,
    Usage,
)
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import (
    FIREWORKS,
    GENERIC,
    LLAMA_CPP,
    SGLANG,
    TOGETHER,
    VLLM,
    Dialect,
)
from trigreason.engines.sglang import SglangEngine, SglangGenerateEngine
from trigreason.engines.templates import CHATML, ChatTemplate
from trigreason.reasoning import Message, Tags, Token
from trigreason.running.rescale import Rescale

PREFIX = Prefix((Message("user", "What is x?"),), "Let me see.\n\nAh, wor")
PROMPT = (
    "<|im_start|>user\nWhat is x?<|im_end|>\n<|im_start|>assistant\n<think>\nLet me see.\n\nAh, wor"
)
PROMPT_TOKENS = len(PROMPT.split())
WARM = Sampling(temperature=0.6)


class Kind(NamedTuple):
    """A dialect, its double, and what is different about what it tells."""

    double: Callable[..., Double]
    engine: Callable[..., CompletionsEngine]
    path: str = "/v1"
    scale: LogprobScale = LogprobScale.RAW
    alternatives: int = 20
    refuses_max_tokens: bool = False

    def connect(self, root: str, **how: Any) -> CompletionsEngine:
        return self.engine(root + self.path, "m", **how)


def sglang(**how: Any) -> Callable[..., Double]:
    return lambda manners: SglangDouble(manners, **how)


def completions(dialect: Dialect) -> Callable[..., CompletionsEngine]:
    return lambda url, model, **how: CompletionsEngine(url, model, dialect=dialect, **how)


SAMPLING = LogprobScale.SAMPLING
KINDS = {
    "sglang": Kind(sglang(), SglangEngine, scale=SAMPLING, refuses_max_tokens=True),
    "sglang-generate": Kind(sglang(), SglangGenerateEngine, "", SAMPLING),
    "sglang-generate-increments": Kind(sglang(increments=True), SglangGenerateEngine, "", SAMPLING),
    "together": Kind(
        TogetherDouble, completions(TOGETHER), alternatives=0, refuses_max_tokens=True
    ),
    "fireworks": Kind(FireworksDouble, completions(FIREWORKS), "/inference/v1", alternatives=5),
}

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_size = pytest.mark.parametrize("per_chunk", [1, 3, 100])


@asynccontextmanager
async def running(
    kind: Kind, manners: Manners | None = None, *, context: int | None = None, **how: Any
) -> AsyncIterator[tuple[Double, CompletionsEngine]]:
    """A double and an engine that knows of so much ``context``."""
    async with serve(kind.double(manners or Manners())) as double:
        engine = kind.connect(double.root, **how)
        engine.capabilities = replace(engine.capabilities, context_tokens=context)
        try:
            yield double, engine
        finally:
            await engine.close()


async def read(
    engine: CompletionsEngine,
    sampling: Sampling = WARM,
    into: list[Token] | None = None,
    **how: Any,
) -> tuple[list[Token], TokenStream]:
    tokens = [] if into is None else into
    how = {"max_tokens": 100, "alternatives": 20, **how}
    async with engine.send(Request(PREFIX, sampling, **how)) as stream:
        async for arrived in stream:
            tokens += arrived
    return tokens, stream


def text_of(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


@pytest.mark.slow
@each_kind
@each_size
@pytest.mark.parametrize(
    "manners", [{}, {"keep_alives": True}, {"drip": 1}, {"drip": 7, "keep_alives": True}]
)
async def test_a_whole_turn(kind: Kind, per_chunk: int, manners: dict[str, Any]) -> None:
    async with running(kind, Manners(per_chunk=per_chunk, **manners)) as (double, engine):
        tokens, stream = await read(engine, needs_logprobs=True)
    [body] = double.bodies
    assert body.get("text", body.get("prompt")) == PROMPT
    assert [token.text for token in tokens] == [each.text for each in SCRIPT]
    assert stream.finish is Finish.STOP
    assert stream.usage == Usage(PROMPT_TOKENS, 3, len(SCRIPT))


@each_kind
@each_size
async def test_logprobs(kind: Kind, per_chunk: int) -> None:
    async with running(kind, Manners(per_chunk=per_chunk)) as (_, engine):
        tokens, _ = await read(engine)
        assert engine.capabilities.logprob_scale is kind.scale
    temperature = 0.6 if kind.scale is SAMPLING else 1.0
    for token, each in zip(tokens, SCRIPT, strict=True):
        ranked = each.logprobs(temperature)
        assert token.logprob == pytest.approx(ranked[each.text])
        assert dict(token.top) == pytest.approx(dict(list(ranked.items())[: kind.alternatives]))
        assert list(token.top) == sorted(token.top, key=lambda other: -other.logprob)


@each_kind
@pytest.mark.parametrize("temperature", [0.0, 0.6, 1.0, 1.5])
async def test_logprobs_are_put_on_the_raw_scale(kind: Kind, temperature: float) -> None:
    async with running(kind) as (_, engine):
        rescale = Rescale(engine.capabilities, LogprobScale.RAW, temperature)
        tokens, _ = await read(
            engine,
            sampling=Sampling(temperature=temperature),
            alternatives=rescale.alternatives(0),
        )
    for token, each in zip(rescale(tokens), SCRIPT, strict=True):
        assert token.logprob == pytest.approx(math.log(each.probabilities[each.text]), abs=1e-6)


async def test_sglang_that_returns_the_original_logprobs() -> None:
    raw = Kind(sglang(original_logprobs=True), SglangEngine)
    async with running(raw, capabilities=Capabilities()) as (_, engine):
        tokens, _ = await read(engine)
    assert tokens[0].logprob == pytest.approx(math.log(0.6))


@each_kind
async def test_a_sentinel_is_no_probability(kind: Kind) -> None:
    async with running(kind, Manners(sentinel_at=1, per_chunk=2)) as (_, engine):
        tokens, _ = await read(engine, needs_logprobs=True)
    assert [token.logprob is None for token in tokens] == [index == 1 for index in range(11)]


@each_kind
@each_size
async def test_no_probabilities_asked_for(kind: Kind, per_chunk: int) -> None:
    async with running(kind, Manners(per_chunk=per_chunk)) as (_, engine):
        tokens, _ = await read(engine, alternatives=None)
    assert text_of(tokens) == TEXT
    assert all(token.logprob is None for token in tokens)


@each_kind
@each_size
async def test_one_step(kind: Kind, per_chunk: int) -> None:
    async with running(kind, Manners(per_chunk=per_chunk)) as (double, engine):
        tokens, stream = await read(engine, one_step=True)
    body = double.bodies[0]
    assert body.get("sampling_params", body)["stop"] == ["\n\n"]
    assert text_of(tokens) == "So x is é.\n\n"
    assert stream.finish is Finish.STOP
    assert stream.usage.completion_tokens == 5


@each_kind
@each_size
async def test_one_step_of_a_model_whose_tags_are_special_tokens(
    kind: Kind, per_chunk: int
) -> None:
    template = ChatTemplate(CHATML.source, tags=Tags("[THINK]", "[/THINK]"))
    async with running(kind, Manners(per_chunk=per_chunk), template=template) as (_, engine):
        tokens, stream = await read(engine, one_step=True)
    assert text_of(tokens) == "So x is é.\n\n"
    assert stream.finish is Finish.STOP


@each_kind
async def test_the_room_is_used_to_the_end(kind: Kind) -> None:
    """However much is asked for: no more fits than the context leaves beside the prompt."""
    context = PROMPT_TOKENS + 9
    async with running(kind, Manners(context=context), context=context) as (double, engine):
        tokens, stream = await read(engine, max_tokens=10_240)
    assert len(tokens) in (8, 9)
    assert stream.finish is Finish.LENGTH
    assert len(double.bodies) == 1 + kind.refuses_max_tokens


@each_kind
async def test_no_more_than_asked_for(kind: Kind) -> None:
    context = PROMPT_TOKENS + 20
    manners = Manners(context=context, pause=0.005)
    async with running(kind, manners, context=context) as (double, engine):
        tokens, stream = await read(engine, max_tokens=7)
        assert len(tokens) == 7
        assert stream.finish is Finish.LENGTH
        assert await soon(lambda: double.open_streams == 0)


@each_kind
@pytest.mark.parametrize("known", [True, False])
async def test_a_prompt_that_fills_the_context(kind: Kind, known: bool) -> None:
    manners = Manners(context=PROMPT_TOKENS)
    async with running(kind, manners, context=PROMPT_TOKENS if known else None) as (_, engine):
        with pytest.raises(EngineError) as caught:
            await read(engine, max_tokens=50)
    assert type(caught.value) is ContextTooLong
    assert "\n" not in str(caught.value)


@each_kind
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, EngineRefused), (401, EngineRefused), (429, EngineBusy), (503, EngineFailed)],
)
async def test_refusals(kind: Kind, status: int, error: type[EngineError]) -> None:
    async with running(kind, Manners(status=status), api_key="secret") as (double, engine):
        with pytest.raises(error, match="as told") as caught:
            await read(engine)
    assert "secret" not in str(caught.value)
    assert type(caught.value) is error
    if isinstance(double, SglangDouble):
        assert double.aborted == []


@each_kind
@pytest.mark.parametrize("then", ["error", "abort"])
async def test_a_failure_in_the_stream(kind: Kind, then: str) -> None:
    async with running(kind, Manners(then=then)) as (_, engine):
        tokens: list[Token] = []
        with pytest.raises(EngineFailed):
            await read(engine, into=tokens)
    assert text_of(tokens) == "So x"


@each_kind
async def test_leaving_early_stops_the_server(kind: Kind) -> None:
    async with running(kind, Manners(pause=0.02)) as (double, engine):
        async with engine.send(Request(PREFIX, WARM, max_tokens=50)) as stream:
            await anext(aiter(stream))
            assert double.open_streams == 1
        assert await soon(lambda: double.open_streams == 0)
        assert double.disconnects == 1
    if isinstance(double, SglangDouble):
        assert double.aborted == [double.bodies[0]["rid"]]


@pytest.mark.parametrize("kind", [KINDS["sglang"], KINDS["sglang-generate"]])
async def test_what_has_ended_is_not_aborted(kind: Kind) -> None:
    async with running(kind) as (double, engine):
        await read(engine)
        await read(engine)
    assert isinstance(double, SglangDouble)
    assert double.aborted == []
    assert double.bodies[0]["rid"] != double.bodies[1]["rid"]


GREEDY_20 = Sampling(temperature=0, top_p=1, top_k=20, min_p=0.05, seed=9)


@pytest.mark.parametrize(
    ("dialect", "off"),
    [
        (GENERIC, {"top_k": -1}),
        (VLLM, {"top_k": -1}),
        (SGLANG, {"top_k": -1}),
        (LLAMA_CPP, {"top_k": -1}),
        (TOGETHER, {}),
        (FIREWORKS, {"top_k": 0}),
    ],
    ids=lambda each: each.name if isinstance(each, Dialect) else "",
)
def test_sampling_is_spelled_out(dialect: Dialect, off: dict[str, int]) -> None:
    rest = {"temperature": 0.6, "top_p": 0.95, "min_p": 0.0, "seed": 0}
    assert dialect.sampling(Sampling()) == rest | off
    assert dialect.sampling(GREEDY_20) == {
        "temperature": 0,
        "top_p": 1,
        "top_k": 20,
        "min_p": 0.05,
        "seed": 9,
    }
