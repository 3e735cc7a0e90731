"""The gateway against the LiteLLM proxy, and against no gateway at all, before one upstream.

    python -m bench.gateway

The upstream (:mod:`bench.fast_upstream`) says prepared reasoning at full speed, so that only the
gateways are measured. Three sides are asked the same, taking turns, each from a process of its own
(:mod:`bench.gateway_load`):

    directly       the upstream's own chat completions
    trigreason     ``trigreason serve`` as it comes: the whole loop with the upstream as SRM and
                   LRM (priming, offload, intervention: eight requests upstream per answer), its
                   records in SQLite, its metrics
    LiteLLM proxy  one request upstream per answer, passed through; in production mode with one
                   worker on uvloop, without database, keys and callbacks

    first byte, first text   at ``--rate`` requests/s by the clock, what a side takes more than
                             "directly" until the first byte of its body, and until the first text;
                             answers are cut short after ``--max-tokens``, because with whole
                             ones at this rate the LiteLLM proxy falls behind without end, and
                             what it then adds is the length of its queue
    tokens/s                 at ``--clients`` streams of whole answers at once
    tokens/s per core        the same by seconds of the gateway's own processor time
    memory                   resident: when ready, the most that was seen, and at the end

Every side's answer is compared with the prepared text before it is measured, and counts as many
tokens as that has, in whatever events they come: the gateway gives an SRM's step out as a whole.
Upstream, clients and gateway share this machine's cores. All numbers are medians of rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import sleep
from typing import Any
from urllib.request import Request, urlopen

from rich.console import Console
from rich.table import Table

from bench.common import machine
from bench.fast_upstream import MODEL, Prepared, fast_upstream
from bench.gateway_sides import Side, litellm, litellm_version, trigreason

TIMES_THE_TOKENS = 3.0
SHARE_OF_THE_DELAY = 0.5
"""What is aimed at, against the LiteLLM proxy."""

LOOK_SECONDS = 0.1
"""Between two looks at a process's memory."""


@dataclass(slots=True)
class Measured:
    """What rounds have shown of one side; milliseconds, tokens per second, MiB."""

    first_byte: list[list[float]] = field(default_factory=list)
    first_text: list[list[float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    core_rates: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def look(self, side: Side) -> None:
        self.memory.append(side.resident_bytes / 2**20)


def load(side: Side, seen: Measured, *mode: object) -> dict[str, Any]:
    """What the clients tell, and the memory meanwhile."""
    command = [sys.executable, "-m", "bench.gateway_load", side.url, side.model, *map(str, mode)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            seen.look(side)
            try:
                process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the clients of {side.name} failed")
    answer: dict[str, Any] = json.loads(told)
    return answer


def by_the_clock(side: Side, seen: Measured, chosen: Namespace) -> None:
    short = ("--max-tokens", chosen.max_tokens)
    told = load(side, seen, "open", "--rate", chosen.rate, "--seconds", chosen.seconds, *short)
    seen.first_byte.append(told["first_byte_ms"])
    seen.first_text.append(told["first_text_ms"])


def at_once(side: Side, seen: Measured, chosen: Namespace, tokens: int) -> None:
    before = side.cpu_seconds
    told = load(side, seen, "streams", "--clients", chosen.clients, "--answers", chosen.answers)
    sleep(1)  # what it still writes down belongs to it
    spent = side.cpu_seconds - before
    seen.rates.append(told["answers"] * tokens / told["seconds"])
    if spent:
        seen.core_rates.append(told["answers"] * tokens / spent)


def check(side: Side, prepared: Prepared) -> None:
    """Raise RuntimeError unless a side gives the whole text."""
    body = {
        "model": side.model,
        "messages": [{"role": "user", "content": "Why is it so?"}],
        "stream": True,
    }
    headers = {"Content-Type": "application/json"}
    request = Request(f"{side.url}/chat/completions", json.dumps(body).encode(), headers)
    thinking, answer = "", ""
    with urlopen(request, timeout=60) as lines:
        for line in lines:
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    thinking += choice["delta"].get("reasoning_content") or ""
                    answer += choice["delta"].get("content") or ""
    if (thinking.strip(), answer) != (prepared.thinking.strip(), prepared.answer):
        raise RuntimeError(f"{side.name} does not give the prepared text")


def measure(sides: Sequence[Side], chosen: Namespace) -> dict[str, Measured]:
    """Every side once a round, a different one first; a short round before them warms up."""
    prepared = Prepared()
    measured = {side.name: Measured() for side in sides}
    for side in sides:
        measured[side.name].look(side)
        check(side, prepared)
        load(side, Measured(), "streams", "--clients", 8, "--answers", 4)
    for number in range(chosen.rounds):
        for place in range(len(sides)):
            side = sides[(number + place) % len(sides)]
            by_the_clock(side, measured[side.name], chosen)
            at_once(side, measured[side.name], chosen, prepared.tokens)
    sleep(1)
    for side in sides:
        measured[side.name].look(side)
    return measured


def quantile(rounds: Sequence[Sequence[float]], share: float) -> float:
    """The median over rounds of a quantile in each."""
    return statistics.median(
        sorted(each)[min(len(each) - 1, int(share * len(each)))] for each in rounds
    )


def delay(side: Measured, direct: Measured, what: str, share: float) -> float:
    """What a side adds to a quantile of "directly" (milliseconds)."""
    return quantile(getattr(side, what), share) - quantile(getattr(direct, what), share)


def report(measured: dict[str, Measured], chosen: Namespace) -> Table:
    shown = Table(
        title=f"{chosen.rate:g} requests/s, {chosen.clients} streams, {chosen.rounds} rounds",
        caption="directly: milliseconds as they are; others: what they add",
    )
    shown.add_column("")
    for heading in ("first byte, ms", "first text, ms"):
        shown.add_column(f"{heading}\np50 / p99", justify="right")
    for heading in ("tokens/s", "tokens/s\nper core", "MiB at first\n/ most / end"):
        shown.add_column(heading, justify="right")
    direct, *others = measured
    for name, side in measured.items():
        cells = [
            " / ".join(
                f"{delay(side, measured[direct], what, share):+.2f}"
                if name in others
                else f"{quantile(getattr(side, what), share):.2f}"
                for share in (0.5, 0.99)
            )
            for what in ("first_byte", "first_text")
        ]
        cells.append(f"{statistics.median(side.rates):,.0f}")
        if name in others:
            memory = side.memory[0], max(side.memory), side.memory[-1]
            cells.append(f"{statistics.median(side.core_rates):,.0f}")
            cells.append(" / ".join(f"{each:.0f}" for each in memory))
        shown.add_row(name, *cells)
    return shown


def verdict(measured: dict[str, Measured]) -> str:
    """Whether what was aimed at is there."""
    direct, ours, theirs = measured.values()
    times = statistics.median(ours.core_rates) / statistics.median(theirs.core_rates)
    own, other = (delay(each, direct, "first_byte", 0.5) for each in (ours, theirs))
    return (
        f"tokens/s per core: {times:.2f} times LiteLLM's, at least {TIMES_THE_TOKENS:g} wanted: "
        f"{'met' if times >= TIMES_THE_TOKENS else 'not met'}\n"
        f"added p50 to the first byte: {own:.2f} ms against {other:.2f} ms, at most "
        f"{SHARE_OF_THE_DELAY:g} of it wanted: "
        f"{'met' if own <= SHARE_OF_THE_DELAY * other else 'not met'}"
    )


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    cache = Path("~/.cache/trigreason/litellm").expanduser()
    arguments.add_argument(
        "--litellm-venv", type=Path, default=cache, help="made where it is not there"
    )
    arguments.add_argument("--rate", type=float, default=20, help="requests/s")
    arguments.add_argument("--seconds", type=float, default=15, help="of these, a round")
    arguments.add_argument("--max-tokens", type=int, default=8, help="of each of these")
    arguments.add_argument("--clients", type=int, default=64, help="streams at once")
    arguments.add_argument("--answers", type=int, default=2, help="of each client, a round")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--quick", action="store_true", help="one short round")
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.answers = 1, 5, 1
    console = Console(width=None if Console().is_terminal else 120)
    theirs = litellm_version(chosen.litellm_venv)
    console.print(f"{machine()}, uvicorn {version('uvicorn')}\nagainst {theirs}\n", highlight=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(fast_upstream())
        sides = [
            Side("directly", upstream, MODEL),
            stack.enter_context(trigreason(upstream, folder)),
            stack.enter_context(litellm(upstream, folder, chosen.litellm_venv)),
        ]
        measured = measure(sides, chosen)
    console.print(report(measured, chosen))
    console.print(verdict(measured), highlight=False)


if __name__ == "__main__":
    main()
