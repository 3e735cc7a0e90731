"""A paying stream of the gateway beside large bodies: its longest gap, and the memory they take.

    python -m bench.gateway_bodies

`trigreason serve` stands before a double that writes a word every five milliseconds. One client
with a key reads a stream, while a program of its own sends 50 bodies of 4 MB at once, with a wrong
key and with this one: of hundreds of thousands of messages, of one long text, and of as many parts
as may be.
Gaps are between two pieces of the paying stream; a gap's work is the processor time that the
gateway used within it, which other programs of the machine do not add to. Memory is the gateway's
resident set at its highest during the bodies, less what it was before them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.common import machine
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import GatewayProcess
from tests.scripted_server import Body, Reply, words
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage import Storage

COUNT = 50
BYTES = 4 * 2**20
PAUSE = 0.005
WRONG_KEY = "tr-0123456789-" + "a" * 43
CALM_SECONDS = 3.0

_ROW = b'{"a":1},'
_HEAD = b'{"model":"p","messages":['


def many_messages() -> bytes:
    return _HEAD + _ROW * ((BYTES - 60) // len(_ROW)) + b'{"a":1}]}'


def one_long_text() -> bytes:
    """A text of one character too many for any place in it, as its role says."""
    text = b"word " * ((BYTES - 100) // 5)
    return _HEAD + b'{"role":"nobody","content":"' + text + b'"}]}'


def many_parts() -> bytes:
    """As many as may be."""
    part = b'{"type":"text","text":"' + b"x" * 350 + b'"},'
    return _HEAD + b'{"role":"nobody","content":[' + (part * 9_900)[:-1] + b"]}]}"


BODIES = {
    "many messages": many_messages,
    "one long text": one_long_text,
    "many parts": many_parts,
}


class Seen(NamedTuple):
    """Seconds, bytes, and how many answers had which status."""

    longest_gap: float
    most_work: float
    """The longest that the gateway itself worked between two pieces."""
    usual_gap: float
    growth: int
    seconds: float
    statuses: dict[str, int]


def _writing(_: Body) -> Reply:
    return Reply(words("And so it goes on and on , word for word .\n\n" * 2000), pause=PAUSE)


async def measured(folder: Path, what: str, key_is_right: bool, count: int = COUNT) -> Seen:
    """One paying stream, and so many bodies beside it."""
    async with scripted(_writing) as upstream:
        gateway = GatewayProcess(folder, _toml(folder, upstream.url))
        try:
            await asyncio.to_thread(gateway.wait_until_ready)
            key = await _key(folder)
            return await _measure(gateway, key, what, key if key_is_right else WRONG_KEY, count)
        finally:
            await asyncio.to_thread(gateway.stop)


def _toml(folder: Path, url: str) -> str:
    database = json.dumps(str(folder / "db"))
    budget = "budget = { thinking_tokens = 20000 }\n"
    return f"{pair_toml(url)}{budget}[gateway]\ndatabase = {database}\n"


async def _key(folder: Path) -> str:
    storage = await Storage.open(str(folder / "db"), traces_days=1)
    try:
        return (await storage.create_key("payer", limits=KeyLimits())).text
    finally:
        await storage.close()


async def _measure(gateway: GatewayProcess, key: str, what: str, shown: str, count: int) -> Seen:
    pid = gateway.process.pid
    pieces: list[_Piece] = []
    async with aiohttp.ClientSession() as session:
        reading = asyncio.create_task(_read(session, gateway.url, key, pid, pieces))
        await asyncio.sleep(CALM_SECONDS)
        before, began = _resident(pid), perf_counter()
        sending = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.gateway_bodies", "--send", what),
            *("--to", gateway.url, "--key", shown, "--count", str(count)),
            stdout=asyncio.subprocess.PIPE,
        )
        told = asyncio.create_task(sending.communicate())
        highest = before
        while not told.done():
            highest = max(highest, _resident(pid))
            await asyncio.sleep(0.01)
        seconds = perf_counter() - began
        await asyncio.sleep(0.5)
        reading.cancel()
    gaps = [
        (piece.at, after.at - piece.at, after.work - piece.work)
        for piece, after in itertools.pairwise(pieces)
    ]
    during = [(gap, work) for at, gap, work in gaps if at >= began - 0.5]
    return Seen(
        max(gap for gap, _ in during),
        max(min(gap, work) for gap, work in during),
        statistics.median(gap for _, gap, _ in gaps),
        highest - before,
        seconds,
        json.loads(told.result()[0]),
    )


class _Piece(NamedTuple):
    """When a piece of the stream came, and how long the gateway had worked by then; seconds."""

    at: float
    work: float


async def _read(
    session: aiohttp.ClientSession, url: str, key: str, pid: int, pieces: list[_Piece]
) -> None:
    body = {
        "model": "p:lrm",
        "messages": [{"role": "user", "content": "?"}],
        "stream": True,
        "trigreason": {"repeats": 0},
    }
    headers = {"authorization": f"Bearer {key}"}
    async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        while await answer.content.readany():
            pieces.append(_Piece(perf_counter(), _worked(pid)))


def _worked(pid: int) -> float:
    """Seconds of processor time, by Linux's clock of another process."""
    return time.clock_gettime(~pid << 3 | 2)


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


async def send(url: str, key: str, what: str, count: int) -> dict[str, int]:
    """Send the bodies at once; how many were answered with which status."""
    data = BODIES[what]()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=120)

    async def one(session: aiohttp.ClientSession) -> str:
        try:
            asking = session.post(f"{url}/v1/chat/completions", data=data, headers=headers)
            async with asking as answer:
                await answer.read()
                return str(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        every = await asyncio.gather(*(one(session) for _ in range(count)))
    return {each: every.count(each) for each in sorted(set(every))}


async def table() -> Table:
    columns = ("longest gap", "most work", "usual gap", "memory", "seconds", "answers")
    shown = Table("50 bodies of 4 MB", *columns)
    for what in BODIES:
        for key_is_right in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                seen = await measured(Path(folder), what, key_is_right)
            shown.add_row(
                f"{what}, {'its own' if key_is_right else 'a wrong'} key",
                f"{1000 * seen.longest_gap:.0f} ms",
                f"{1000 * seen.most_work:.0f} ms",
                f"{1000 * seen.usual_gap:.1f} ms",
                f"{seen.growth / 1e6:.0f} MB",
                f"{seen.seconds:.1f}",
                ", ".join(f"{count} of {status}" for status, count in seen.statuses.items()),
            )
    return shown


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--send", choices=BODIES)
    arguments.add_argument("--to")
    arguments.add_argument("--key")
    arguments.add_argument("--count", type=int, default=COUNT)
    given = arguments.parse_args()
    if given.send:
        print(json.dumps(asyncio.run(send(given.to, given.key, given.send, given.count))))
        return
    console = Console(width=110)
    console.print(machine())
    console.print(asyncio.run(table()))


if __name__ == "__main__":
    main()
