"""What the reasoner costs per streamed token, against reading the same stream and discarding it.

    python -m bench.loop_cost --items 10

The model runs in another process, so this process's CPU time is the reader's alone. Every signal
of every trigger is computed on every step; thresholds are set so that none fires and each problem
is one stream. Both sides send the same greedy request, in turn.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from trigreason.bundled import CONTEXT_TOKENS, SRM_FILE, Problem
from trigreason.engines.base import Prefix, Request, Sampling
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import connect
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message, Thresholds

NEVER = Thresholds(n=0, tau=1, rho=0, k=10**6)
"""Every signal is computed and nothing fires: no token's perplexity lies below 1."""

GREEDY = Sampling(temperature=0)

SERVER = f"""
import asyncio, sys
from pathlib import Path
from trigreason.engines.embedded import load
async def main():
    engine = await load(Path({str(SRM_FILE)!r}), context_tokens={CONTEXT_TOKENS})
    print(engine.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


async def by_reasoner(pair: Pair, problem: Problem) -> tuple[int, float]:
    """Tokens and CPU seconds of a whole run."""
    start = time.process_time()
    trace = await completed(
        reason(pair, problem.question, thresholds=NEVER, sampling=GREEDY, budget=BUDGET)
    )
    return trace.use(Author.SRM).completion_tokens, time.process_time() - start


async def discarded(
    session: aiohttp.ClientSession, engine: CompletionsEngine, problem: Problem
) -> float:
    """CPU seconds of reading the stream of the same request."""
    prefix = Prefix((Message("user", problem.question),))
    room = BUDGET.thinking_tokens + BUDGET.answer_tokens
    body = engine.request_body(Request(prefix, GREEDY, room, 0))
    start = time.process_time()
    async with session.post(f"{engine.url}/completions", json=body) as response:
        while await response.content.readany():
            pass
    return time.process_time() - start


async def measure(url: str, problems: list[Problem]) -> tuple[int, float, float]:
    """Tokens read, CPU seconds of the reasoner, CPU seconds of discarding."""
    engine = await connect(url)
    assert isinstance(engine, CompletionsEngine), "llama.cpp is spoken to by raw completions"
    pair = Pair(engine, engine)
    tokens, reasoning, discarding = 0, 0.0, 0.0
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        await by_reasoner(pair, problems[0])
        await discarded(session, engine, problems[0])
        for problem in problems:
            read, seconds = await by_reasoner(pair, problem)
            tokens += read
            reasoning += seconds
            discarding += await discarded(session, engine, problem)
    await pair.close()
    return tokens, reasoning, discarding


def main() -> None:
    chosen = parser(__doc__, items=10).parse_args()
    problems, source = chosen_problems(chosen)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        tokens, reasoning, discarding = asyncio.run(measure(url, problems))
        server.stdin.close()
    console = Console(width=None if Console().is_terminal else 100)
    console.print(f"{machine()}\n{source}, {tokens} tokens\n", highlight=False)
    shown = Table("CPU time per token", "µs", title="The loop's own cost")
    per_token = 1e6 / tokens
    shown.add_row("reasoner", f"{reasoning * per_token:.1f}")
    shown.add_row("the same stream, discarded", f"{discarding * per_token:.1f}")
    shown.add_row("difference: the loop", f"{(reasoning - discarding) * per_token:.1f}")
    console.print(shown)


if __name__ == "__main__":
    main()
