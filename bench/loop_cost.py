"""What the reasoner costs per streamed token, against reading the same stream and discarding it.

    python -m bench.loop_cost --items 10

The model runs in another process, so this process's CPU time is the reader's alone. Every signal
of every trigger is computed on every step; thresholds are set so that none fires and each problem
is one stream. Both sides send the same greedy request, in turn. The reasoner then runs once more
with 20 alternatives beside each token, as it does by default.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace

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
from trigreason.reasoning import Author, Message, Thresholds, trace_to_json

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


@dataclass
class Cost:
    """What runs took: tokens read, CPU seconds, bytes of their traces in JSON."""

    tokens: int = 0
    seconds: float = 0.0
    trace_bytes: int = 0

    async def add(self, pair: Pair, problem: Problem) -> None:
        """Run the SRM on a problem."""
        start = time.process_time()
        trace = await completed(
            reason(pair, problem.question, thresholds=NEVER, sampling=GREEDY, budget=BUDGET)
        )
        self.seconds += time.process_time() - start
        self.tokens += trace.use(Author.SRM).completion_tokens
        self.trace_bytes += len(json.dumps(trace_to_json(trace)))


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


async def measure(url: str, problems: list[Problem]) -> tuple[Cost, Cost, float]:
    """Runs without alternatives, runs with them, and the CPU seconds of discarding the former."""
    engine = await connect(url)
    assert isinstance(engine, CompletionsEngine), "llama.cpp is spoken to by raw completions"
    with_top = Pair(engine, engine)
    plain = replace(with_top, alternatives=0)
    without, kept, discarding = Cost(), Cost(), 0.0
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        await Cost().add(plain, problems[0])
        await discarded(session, engine, problems[0])
        for problem in problems:
            await without.add(plain, problem)
            await kept.add(with_top, problem)
            discarding += await discarded(session, engine, problem)
    await engine.close()
    return without, kept, discarding


def main() -> None:
    chosen = parser(__doc__, items=10).parse_args()
    problems, source = chosen_problems(chosen)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        without, kept, discarding = asyncio.run(measure(url, problems))
        server.stdin.close()
    console = Console(width=None if Console().is_terminal else 100)
    console.print(f"{machine()}\n{source}, {without.tokens} tokens\n", highlight=False)
    shown = Table("per token", "CPU, µs", "trace, bytes", title="The loop's own cost")
    for label, cost in (("reasoner", without), ("reasoner, 20 alternatives kept", kept)):
        micros, size = 1e6 * cost.seconds / cost.tokens, cost.trace_bytes / cost.tokens
        shown.add_row(label, f"{micros:.1f}", f"{size:.0f}")
    per_token = 1e6 / without.tokens
    shown.add_row("the first one's stream, discarded", f"{discarding * per_token:.1f}")
    loop = (without.seconds - discarding) * per_token
    shown.add_row("difference: the loop", f"{loop:.1f}")
    console.print(shown)


if __name__ == "__main__":
    main()
