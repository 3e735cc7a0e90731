"""How much of the prompts two replicas per model have cached, with and without a session header.

    python -m bench.replicas --items 2
    python -m bench.replicas --items 2 --vllm SCRIPT   # the LRM on vLLM: SCRIPT serve FOLDER PORT

The same problems are put to the bundled pair three times, with fresh servers each time: one server
per model; two behind a balancer that passes requests on in turn; and two behind one that honours
the header of a run's session. Prompt and cached tokens are those that the servers report; requests
that were closed before they reported any are left out.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.balancer import balanced
from bench.bundled import BUDGET
from bench.common import chosen_problems, machine, parser
from tests.servers import ROOT, ServerProcess, llama_cpp, running, vllm
from trigreason.bundled import CONTEXT_TOKENS, LRM_FILE, SRM_FILE, Problem, profile
from trigreason.engines.base import Sampling
from trigreason.engines.connect import connect
from trigreason.engines.http import SESSION_HEADER
from trigreason.engines.template_sources import template_from
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Trace

FILES = {Author.SRM: SRM_FILE, Author.LRM: LRM_FILE}
LANES = 4
GREEDY = Sampling(temperature=0)
BLOCK_TOKENS = 32
"""vLLM's smallest block on a CPU; its default of 128 is more than most of these prompts have."""


class Arm(NamedTuple):
    title: str
    replicas: int
    header: str | None


ARMS = (
    Arm("one server", 1, None),
    Arm("two, in turn", 2, None),
    Arm("two, by session", 2, SESSION_HEADER),
)


class Read(NamedTuple):
    """What one model read in all runs of an arm."""

    requests: int
    prompt_tokens: int
    cached_tokens: int

    @property
    def hit_rate(self) -> float:
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def read_by(author: Author, traces: Sequence[Trace]) -> Read:
    stretches = [
        each
        for trace in traces
        for each in trace.stretches
        if each.author is author and each.prompt_tokens is not None
    ]
    prompt = sum(each.prompt_tokens or 0 for each in stretches)
    return Read(len(stretches), prompt, sum(each.cached_tokens or 0 for each in stretches))


def server(author: Author, script: Path | None) -> ServerProcess:
    if script is None or author is Author.SRM:
        return llama_cpp(FILES[author], slots=LANES, context_tokens=CONTEXT_TOKENS)
    return vllm(
        script,
        ROOT / "models" / author.value,
        slots=LANES,
        context_tokens=CONTEXT_TOKENS,
        flags=("--enable-prompt-tokens-details", "--block-size", str(BLOCK_TOKENS)),
    )


@asynccontextmanager
async def pair_of(arm: Arm, script: Path | None = None) -> AsyncIterator[Pair]:
    """The bundled pair on fresh servers, each model behind its balancer."""
    async with AsyncExitStack() as stack:
        replicas = {
            author: [server(author, script) for _ in range(arm.replicas)] for author in FILES
        }
        every = [each for some in replicas.values() for each in some]
        processes = stack.enter_context(ExitStack())
        await asyncio.to_thread(processes.enter_context, running(every))
        engines = {}
        for author, some in replicas.items():
            root, _ = await stack.enter_async_context(
                balanced([each.root for each in some], arm.header)
            )
            template = template_from(str(ROOT / "models" / author.value))
            engines[author] = await connect(f"{root}/v1", template=template)
            stack.push_async_callback(engines[author].close)
        yield Pair(engines[Author.SRM], engines[Author.LRM], arm.title, thresholds=profile())


async def run(arm: Arm, problems: Sequence[Problem], script: Path | None = None) -> list[Trace]:
    """Every problem once, ``LANES`` at a time."""
    lanes = asyncio.Semaphore(LANES)

    async def solve(pair: Pair, problem: Problem) -> Trace:
        async with lanes:
            return await completed(reason(pair, problem.question, sampling=GREEDY, budget=BUDGET))

    async with pair_of(arm, script) as pair:
        return await asyncio.gather(*(solve(pair, problem) for problem in problems))


def main(arguments: Namespace) -> None:
    console = Console()
    problems, source = chosen_problems(arguments)
    lrm = "llama.cpp" if arguments.vllm is None else f"vLLM, blocks of {BLOCK_TOKENS} tokens"
    table = Table(
        title=f"Prompt tokens in the prefix cache: {source}, {LANES} at a time; LRM on {lrm}",
        caption=machine(),
    )
    for column in ("model", "servers"):
        table.add_column(column)
    for column in ("requests", "prompt tokens", "read afresh", "hit rate"):
        table.add_column(column, justify="right")
    traces = {arm: asyncio.run(run(arm, problems, arguments.vllm)) for arm in ARMS}
    for author in FILES:
        for arm in ARMS:
            read = read_by(author, traces[arm])
            fresh = read.prompt_tokens - read.cached_tokens
            table.add_row(
                author.value.upper(),
                arm.title,
                f"{read.requests}",
                f"{read.prompt_tokens:,}",
                f"{fresh:,}",
                f"{read.hit_rate:.0%}",
                end_section=arm is ARMS[-1],
            )
    console.print(table)


if __name__ == "__main__":
    options = parser(__doc__, items=2)
    options.add_argument("--vllm", type=Path, help="script that serves a model folder on vLLM")
    main(options.parse_args())
