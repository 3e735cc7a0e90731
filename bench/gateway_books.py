"""USD in the gateway's books against USD on its upstream's own bill.

    python -m bench.gateway_books

Requests that are read to their end, that their client leaves in the middle, and that fail, over
models that tell their usage in every event, at the end of a stream, or never (the double of
``bench.metered_upstream``). A key has a budget of USD a day; the last column says how much of it
was spent when it was first refused.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.metered_upstream import FAILING, TELLING, Telling, metered, pair_toml
from tests.conftest import soon
from tests.gateway.client import CHAT, Client, asked_gateway
from tests.gateway.storage.books import rows, settled
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage.tables import NANO, RECORDS

ENDINGS = ("finished", "left", "failed")
QUESTION = "How many apples are left of twelve when five of them have been eaten by the twins?"
BUDGET_USD = 0.02


class Books(NamedTuple):
    """USD of some exchanges, and how many of them are in the books as estimates or as null."""

    booked: float
    spent: float
    exchanges: int
    estimates: int
    unknown: int

    @property
    def share(self) -> float:
        return self.booked / self.spent


async def books(folder: Path, telling: Telling, ending: str, count: int) -> Books:
    """What some exchanges of one kind come to."""
    async with metered(telling) as meter, asked_gateway(folder, pair_toml(meter.url)) as client:
        for index in range(count):
            await _ask(client, ending, index)
        assert await soon(lambda: client.is_idle)
        await settled(client.service.storage)
        database = str(folder / "db")
        assert await soon(lambda: len(rows(database, RECORDS)) == count)
        entered = rows(database, RECORDS)
        costs = [row["nano_usd"] for row in entered]
        return Books(
            sum(cost or 0 for cost in costs) / NANO,
            meter.usd,
            len(entered),
            sum(row["usd_is_estimate"] for row in entered),
            costs.count(None),
        )


async def _ask(client: Client, ending: str, index: int) -> None:
    question = f"{QUESTION} {FAILING if ending == 'failed' else ''}"
    if ending != "left":
        await client.chat(question, model="p", stream=bool(index % 2))
        return
    body = {"model": "p", "messages": [{"role": "user", "content": question}], "stream": True}
    headers = {} if client.key is None else {"authorization": f"Bearer {client.key}"}
    lines = random.Random(index).randrange(5, 120)
    asking = client.session.post(client.url + CHAT, json=body, headers=headers)
    async with asking as answer:
        for _ in range(lines):
            await answer.content.readline()
        answer.close()


class Bound(NamedTuple):
    """What a key with a budget had spent when it was first refused; what one request costs."""

    spent: float
    each: float
    code: str


async def bound(folder: Path, telling: Telling, budget: float = BUDGET_USD) -> Bound:
    """A key asks, one request after the other, until it may not."""
    async with metered(telling, 0.0) as meter, asked_gateway(folder, pair_toml(meter.url)) as open_:
        limits = KeyLimits(usd_per_day=budget)
        made = await open_.service.storage.create_key("ann", limits=limits)
        client = open_.with_key(made.text)
        served = 0
        while (told := await client.chat(QUESTION, model="p")).status == 200:
            served += 1
            await settled(client.service.storage)
            if meter.usd > 3 * budget:
                return Bound(meter.usd, meter.usd / served, "none")
        return Bound(meter.usd, meter.usd / max(1, served), told.error["code"])


async def table(count: int) -> Table:
    shown = Table("usage is told", "requests", "booked USD", "spent USD", "booked/spent")
    shown.add_column("estimates")
    shown.add_column("null")
    for telling in TELLING:
        for ending in ENDINGS:
            with tempfile.TemporaryDirectory() as folder:
                found = await books(Path(folder), telling, ending, count)
            shown.add_row(
                telling,
                f"{found.exchanges} {ending}",
                f"{found.booked:.6f}",
                f"{found.spent:.6f}",
                f"{found.share:.2f}",
                f"{found.estimates}",
                f"{found.unknown}",
            )
        with tempfile.TemporaryDirectory() as folder:
            end = await bound(Path(folder), telling)
        shown.add_row(
            telling,
            f"until {BUDGET_USD} USD are spent",
            end.code,
            f"{end.spent:.6f}",
            f"{end.spent / BUDGET_USD:.2f} of the budget",
        )
    return shown


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--requests", type=int, default=20, help="of each kind")
    Console(width=110).print(asyncio.run(table(arguments.parse_args().requests)))


if __name__ == "__main__":
    main()
