"""The embedded engine against llama.cpp itself: speed, logprobs, draft model, the first text.

    python -m bench.embedded            # a quarter of an hour on two cores
    python -m bench.embedded --quick    # one round of few tokens: does it still run?

Per model two llama.cpp servers run on one mapped file, each with every core: ours, asked through
the engine, and a bare one in a process of its own, asked by a client that reads the whole answer at
once. Both get the same prompts, seeds and sampling, in turn, and read every prompt afresh. Ratios
are medians of the rounds' ratios.

Before June 2026 llama.cpp sorted the whole vocabulary for each logprob. A newer one sorts as many
tokens as a request wants alternatives; a thousand of them show how sorting and sending more cost.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.common import machine
from bench.real_pair.pair import MODELS_VARIABLE, SAMPLING, Measured, real_pair
from trigreason.configuration import opened_pair
from trigreason.engines.base import Prefix, Request, Sampling
from trigreason.engines.embedded import (
    SPINNING,
    EmbeddedEngine,
    LlamaCppOptions,
    available_cores,
    load,
)
from trigreason.events import AnswerText, ThinkingText
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Message

SLOTS = 8
CONTEXT_TOKENS = 1024
NO_ENDING = {"ignore_eos": True, "cache_prompt": False}
MANY = 1000
QUESTION = "Natalia sold 48 clips in April and half as many in May. How many in all?"
STARTS = ("starting the program", "loading both models", "from there to the first text")

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
"""The server ends when its standard input does, which is with this process at the latest."""

BARE = f"""
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx, parameters.n_parallel = {CONTEXT_TOKENS * SLOTS}, {SLOTS}
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = {available_cores()}
parameters.verbosity = -1
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
"""

Write = Callable[[int], Awaitable[int]]
"""Writes the stream of a number; gives the tokens written."""


@dataclass(frozen=True)
class Sides:
    """Both ways to one model."""

    engine: EmbeddedEngine
    url: str
    session: aiohttp.ClientSession
    tokens: int

    async def ours(self, alternatives: int | None, number: int) -> int:
        """Through the engine, which reads as it streams."""
        async with self.engine.send(
            Request(
                prefix(number), sampling(number), max_tokens=self.tokens, alternatives=alternatives
            )
        ) as stream:
            async for _ in stream:
                pass
        written = stream.usage.completion_tokens
        assert written is not None, "llama.cpp counts"
        return written

    async def bare(self, logprobs: int | None, number: int) -> int:
        """By llama.cpp, without this project's client; ``logprobs`` per token, None for none."""
        body = {
            "prompt": self.engine.prompt(prefix(number)),
            "max_tokens": self.tokens,
            **asdict(sampling(number)),
            "top_k": -1,
            **NO_ENDING,
            **({} if logprobs is None else {"logprobs": logprobs}),
        }
        async with self.session.post(f"{self.url}/v1/completions", json=body) as answer:
            answer.raise_for_status()
            return int((await answer.json())["usage"]["completion_tokens"])


def prefix(number: int) -> Prefix:
    return Prefix((Message("user", f"Tell the story of number {number}."),), thinking=False)


def sampling(number: int) -> Sampling:
    return Sampling(seed=number)


@asynccontextmanager
async def bare_server(model: Path) -> AsyncIterator[str]:
    """The address of llama.cpp as it comes, with every core."""
    environ = {name: value for name, value in os.environ.items() if name != SPINNING}
    command = [sys.executable, "-c", BARE, str(model)]
    server = await asyncio.create_subprocess_exec(*command, env=environ, **PIPES)
    assert server.stdout is not None, "it has a pipe"
    try:
        address = (await server.stdout.readline()).decode().strip()
        if not address:
            raise RuntimeError(f"llama.cpp cannot load {model}")
        yield address
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


@asynccontextmanager
async def loaded(
    model: Path, slots: int, draft: Path | None = None
) -> AsyncIterator[EmbeddedEngine]:
    """The engine, which writes on until it is told to stop."""
    engine = await load(
        model,
        context_tokens=CONTEXT_TOKENS,
        options=LlamaCppOptions(slots=slots),
        caching=False,
        draft=draft,
    )
    engine.dialect = replace(engine.dialect, always={**engine.dialect.always, **NO_ENDING})
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def both_sides(model: Path, tokens: int) -> AsyncIterator[Sides]:
    """The model loaded twice from one file, and warm."""
    async with (
        loaded(model, SLOTS) as engine,
        bare_server(model) as url,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as session,
    ):
        sides = Sides(engine, url, session, tokens)
        await sides.ours(0, 0)
        await sides.bare(1, 0)
        yield sides


async def rate(write: Write, streams: int) -> float:
    """Tokens per second of so many streams at once, the reading of their prompts included."""
    start = perf_counter()
    written = await asyncio.gather(*(write(number) for number in range(streams)))
    return sum(written) / (perf_counter() - start)


async def in_turn(ways: Mapping[str, Write], streams: int, rounds: int) -> dict[str, list[float]]:
    """The rates of each way, round by round; each round begins with another way."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(rounds):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            rates[name].append(await rate(ways[name], streams))
            told = f"round {turn + 1} of {rounds}, {name}, streams: {streams}"
            print(f"{told}; {rates[name][-1]:.1f} tokens/s", file=sys.stderr, flush=True)
    return rates


def ratio(rates: Sequence[float], others: Sequence[float]) -> str:
    return f"{median(mine / other for mine, other in zip(rates, others, strict=True)):.0%}"


async def throughput(author: Author, sides: Sides, rounds: int, table: Table) -> None:
    """Rows of one model: the engine beside llama.cpp, the SRM with a logprob of each token."""
    asked = author is Author.SRM
    ways = {
        "engine": partial(sides.ours, 0 if asked else None),
        "llama.cpp": partial(sides.bare, 1 if asked else None),
    }
    for streams in (1, SLOTS):
        rates = await in_turn(ways, streams, rounds)
        engine, bare = rates.values()
        table.add_row(
            author.upper(),
            str(streams),
            f"{median(engine):.1f}",
            f"{median(bare):.1f}",
            ratio(engine, bare),
        )


async def cost_of_logprobs(sides: Sides, rounds: int, table: Table) -> None:
    """Rows of what a model writes, one stream, with ever more logprobs."""
    ways: dict[str, Write] = {
        "engine, none": partial(sides.ours, None),
        "engine, of each token (what a run asks for)": partial(sides.ours, 0),
        "llama.cpp, none": partial(sides.bare, None),
        "llama.cpp, of each token": partial(sides.bare, 1),
        "llama.cpp, 20 alternatives": partial(sides.bare, 20),
        f"llama.cpp, {MANY} alternatives": partial(sides.bare, MANY),
    }
    rates = await in_turn(ways, 1, rounds)
    for name, own in rates.items():
        base = rates[f"{name.partition(',')[0]}, none"]
        table.add_row(name, f"{median(own):.1f}", ratio(own, base))


async def drafting(measured: Measured, tokens: int, rounds: int, table: Table) -> None:
    """The LRM, one stream, with the SRM as its draft model and without."""
    draft, model = measured.files[Author.SRM], measured.files[Author.LRM]
    async with (
        loaded(model, 1) as plain,
        loaded(model, 1, draft) as drafted,
        aiohttp.ClientSession() as session,
    ):
        ways: dict[str, Write] = {
            name: partial(Sides(engine, engine.url, session, tokens).ours, None)
            for name, engine in (("alone", plain), ("with the SRM as draft model", drafted))
        }
        for write in ways.values():
            await write(0)
        rates = await in_turn(ways, 1, rounds)
    for name, own in rates.items():
        table.add_row(name, f"{median(own):.1f}", ratio(own, rates["alone"]))


async def first_text(measured: Measured) -> tuple[float, float, float]:
    """Seconds that the program takes to start, the pair to load, and a run to give its first text.

    What begins a run by default is a step of the LRM, which is given out as it is written.
    """
    start = perf_counter()
    program = [sys.executable, "-m", "trigreason", "solve", "--help"]
    await asyncio.to_thread(subprocess.run, program, check=True, stdout=subprocess.DEVNULL)
    started = perf_counter()
    async with opened_pair(measured.plan, os.environ) as pair:
        loaded = perf_counter()
        events = reason(pair, QUESTION, sampling=SAMPLING, budget=measured.budget)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ThinkingText | AnswerText):
                    return started - start, loaded - started, perf_counter() - loaded
    raise RuntimeError("the run ended without text")


async def measure(measured: Measured, tokens: int, rounds: int) -> AsyncIterator[Table]:
    """The tables, each as soon as it is whole."""
    speeds = Table("model", "streams", "engine, tokens/s", "llama.cpp, tokens/s", "ratio")
    logprobs = Table("logprobs on the SRM's side", "tokens/s", "of none")
    drafts = Table("the LRM", "tokens/s", "of alone")
    starts = Table("from solve to the first text", "seconds")
    for author, file in measured.files.items():
        async with both_sides(file, tokens) as sides:
            await throughput(author, sides, rounds, speeds)
            if author is Author.SRM:
                await cost_of_logprobs(sides, rounds, logprobs)
                yield logprobs
    yield speeds
    await drafting(measured, tokens, rounds, drafts)
    yield drafts
    times = [await first_text(measured) for _ in range(rounds)]
    for name, seconds in zip(STARTS, zip(*times, strict=True), strict=True):
        starts.add_row(name, f"{median(seconds):.2f}")
    yield starts


def arguments() -> Namespace:
    given = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    given.add_argument(
        "--models", type=Path, metavar="FOLDER", help=f"the GGUF files (default: {MODELS_VARIABLE})"
    )
    given.add_argument("--tokens", type=int, default=64, help="tokens of each stream")
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--quick", action="store_true", help="one round of 4 tokens")
    chosen = given.parse_args()
    if chosen.quick:
        chosen.tokens, chosen.rounds = 4, 1
    return chosen


def main() -> None:
    chosen = arguments()
    try:
        measured = real_pair(chosen.models)
    except ValueError as error:
        raise SystemExit(f"bench.embedded: {error}") from error
    asyncio.run(show(measured, chosen.tokens, chosen.rounds))


async def show(measured: Measured, tokens: int, rounds: int) -> None:
    console = Console(width=None if Console().is_terminal else 100)
    console.print(f"{machine()}\n", highlight=False)
    async for table in measure(measured, tokens, rounds):
        console.print(table)


if __name__ == "__main__":
    main()
