"""A real server as the conformance suite sees it: an engine, and the server's own word beside it.

The suite is the same for every server; how each is asked beyond completions is a row of
``LLAMA_CPP``, ``VLLM`` and ``SGLANG``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any

import aiohttp
import pytest

from trigreason.bundled import profile
from trigreason.engines.base import Prefix, Request, Sampling, TokenStream
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import connect
from trigreason.pairs import Pair
from trigreason.reasoning import Token, join_text

GREEDY = Sampling(temperature=0)
IDLE_SECONDS = 1.0
"""Within these a closed stream must have stopped on the server."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a stream gave, and how it ended."""

    tokens: list[Token]
    stream: TokenStream

    @property
    def text(self) -> str:
        return join_text([token.text for token in self.tokens])

    @property
    def ends(self) -> list[int]:
        """Where each token ends, in characters of the text."""
        lengths = [len(token.text) for token in self.tokens]
        return [sum(lengths[: index + 1]) for index in range(len(lengths))]


async def said(
    engine: CompletionsEngine,
    prefix: Prefix,
    max_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    alternatives: int = 0,
    one_step: bool = False,
) -> Said:
    """A stream to its end, token by token (which a server tells apart by their logprobs)."""
    async with engine.send(
        Request(
            prefix, sampling, max_tokens=max_tokens, alternatives=alternatives, one_step=one_step
        )
    ) as stream:
        return Said([token async for arrival in stream for token in arrival], stream)


def asking_for(engine: CompletionsEngine, **fields: Any) -> CompletionsEngine:
    """The engine with more in each request than it sends by itself."""
    own = engine.request_body

    def with_fields(*args: Any, **how: Any) -> Json:
        return own(*args, **how) | fields

    engine.request_body = with_fields  # type: ignore[method-assign]
    return engine


@dataclass(frozen=True, slots=True)
class Wording:
    """How one kind of server is asked for what no engine asks.

    ``running`` and ``generated`` are the names of metrics: requests being worked on, and tokens
    generated since the start. ``load`` is the page that tells the first of them. ``grammar`` makes
    the fields that bind a completion to a grammar in GBNF.
    """

    running: str
    generated: str
    text_to_tokenize: str
    detokenized: str
    grammar: Callable[[str], Json]
    load: str = "/metrics"


LLAMA_CPP = Wording(
    running="llamacpp:requests_processing",
    generated="llamacpp:tokens_predicted_total",
    text_to_tokenize="content",
    detokenized="content",
    grammar=lambda gbnf: {"grammar": gbnf},
)
VLLM = Wording(
    running="vllm:num_requests_running",
    generated="vllm:generation_tokens_total",
    text_to_tokenize="prompt",
    detokenized="prompt",
    grammar=lambda gbnf: {"structured_outputs": {"grammar": gbnf}},
)
SGLANG = Wording(
    running="sglang_num_running_reqs",
    load="/v1/loads?include=core&format=prometheus",
    generated="sglang:generation_tokens_total",
    text_to_tokenize="prompt",
    detokenized="text",
    grammar=lambda gbnf: {"ebnf": gbnf},
)


@dataclass(frozen=True, slots=True)
class Served:
    """One model on a real server that listens at ``root``."""

    root: str
    wording: Wording

    @asynccontextmanager
    async def engine(self, **fields: Any) -> AsyncIterator[CompletionsEngine]:
        """What a user gets for the server's URL; ``fields`` are added to each request."""
        engine = await connect(self.root)
        assert isinstance(engine, CompletionsEngine)
        try:
            yield asking_for(engine, **fields) if fields else engine
        finally:
            await engine.close()

    async def metric(self, name: str, page: str = "/metrics") -> float:
        """The sum of a metric over its labels; 0 where nothing was counted yet."""
        async with aiohttp.ClientSession() as session, session.get(self.root + page) as told:
            text = await told.text()
        values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, values))

    async def running(self) -> float:
        """Requests that the server is working on."""
        return await self.metric(self.wording.running, self.wording.load)

    async def seconds_until(self, streams: int) -> float:
        """How long the server takes to work on no more than so many; at most ``IDLE_SECONDS``."""
        start = perf_counter()
        async with asyncio.timeout(IDLE_SECONDS):
            for _ in count():
                if await self.running() <= streams:
                    break
                await asyncio.sleep(0.01)
        return perf_counter() - start

    async def generated(self) -> float:
        """Tokens that the server has generated since it started."""
        return await self.metric(self.wording.generated)

    async def tokenized(self, text: str) -> list[int]:
        """The ids of a prompt, by the server's own tokenizer."""
        asked = {self.wording.text_to_tokenize: text, "add_special_tokens": False}
        told = await self.post("/tokenize", asked)
        ids: list[int] = told["tokens"]
        return ids

    async def detokenized(self, ids: Sequence[int]) -> str:
        told = await self.post("/detokenize", {"tokens": list(ids), "skip_special_tokens": False})
        text: str = told[self.wording.detokenized]
        return text

    async def completed(self, engine: CompletionsEngine, body: Json) -> Json:
        """The server's answer to a request as the engine makes it, in one piece."""
        plain = {key: value for key, value in body.items() if key != "stream_options"}
        return await self.post("/v1/completions", plain | {"model": engine.model, "stream": False})

    async def post(self, path: str, body: Json) -> Json:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.root}{path}", json=body) as answer,
        ):
            told: Json = await answer.json()
            assert answer.status == 200, told
            return told


@dataclass(frozen=True, slots=True)
class RealServer:
    """The bundled pair on one kind of server."""

    name: str
    srm: Served
    lrm: Served

    def skip_without_seeds(self) -> None:
        if self.name == "SGLang":
            pytest.skip("SGLang honours seeds with --enable-deterministic-inference, on GPUs alone")

    @asynccontextmanager
    async def pair(self) -> AsyncIterator[Pair]:
        """The pair by its servers' URLs, with the bundled thresholds."""
        async with self.srm.engine() as srm, self.lrm.engine() as lrm:
            yield Pair(srm, lrm, self.name, thresholds=profile())
