"""What stands in the books against what the models' own bill says; see ``bench.gateway_books``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.gateway_books import ENDINGS, QUESTION, books, bound
from bench.metered_upstream import PRICES, TELLING, Telling, metered, pair_toml
from tests.conftest import soon
from tests.gateway.client import asked_gateway
from tests.gateway.storage.books import rows
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage.tables import NANO, RESERVATIONS

pytestmark = pytest.mark.slow

PAIRINGS = [
    pytest.param(telling, ending, marks=[pytest.mark.slow] if row != column else [])
    for row, telling in enumerate(TELLING)
    for column, ending in enumerate(ENDINGS)
]
"""Every ending with every way of telling; the fast suite has each of them once."""


@pytest.mark.parametrize(("telling", "ending"), PAIRINGS)
async def test_what_is_spent_is_booked(tmp_path: Path, telling: Telling, ending: str) -> None:
    found = await books(tmp_path, telling, ending, 1)
    assert (found.exchanges, found.unknown) == (1, 0)
    assert 0.8 < found.share < 1.3
    if telling != "always":
        assert found.estimates == 1
    elif ending == "finished":
        assert found.estimates == 0


@pytest.mark.slow
@pytest.mark.parametrize("telling", TELLING)
async def test_a_budget_binds_whatever_is_told(tmp_path: Path, telling: Telling) -> None:
    found = await bound(tmp_path, telling, budget=0.006)
    assert found.code == "insufficient_quota"
    assert found.spent < 0.006 + 1.2 * found.each


async def test_one_priced_model_is_counted_alone(tmp_path: Path) -> None:
    async with metered("at the end", 0.0) as meter:
        read, write = PRICES["s"]
        priced = f"prices = {{ input = {read}, output = {write} }}\n"
        toml = pair_toml(meter.url).replace(priced, "")
        async with asked_gateway(tmp_path, toml) as client:
            told = (await client.chat(QUESTION, model="p")).body["trigreason"]
    assert told["models"]["srm"]["usd"] is None
    assert told["usd"] == told["models"]["lrm"]["usd"] > 0


async def test_what_is_only_held_back_is_told_with_when(tmp_path: Path) -> None:
    async with metered("never", 0.05) as meter, asked_gateway(tmp_path, pair_toml(meter.url)) as c:
        limits = KeyLimits(usd_per_day=0.01)
        ann = c.with_key((await c.service.storage.create_key("ann", limits=limits)).text)
        body = {"model": "p", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
        headers = {"authorization": f"Bearer {ann.key}"}
        asking = c.session.post(f"{c.url}/v1/chat/completions", json=body, headers=headers)
        async with asking as answer:
            await answer.content.readline()
            told = await ann.chat(QUESTION, model="p")
            assert (told.status, told.error["code"]) == (429, "rate_limit_exceeded")
            assert "requests under way" in told.error["message"]
            assert int(told.headers["retry-after"]) <= 5
            answer.close()


async def test_a_prompt_is_held_back_at_the_price_of_both_models(tmp_path: Path) -> None:
    async with metered("never", 0.05) as meter, asked_gateway(tmp_path, pair_toml(meter.url)) as c:
        limits = KeyLimits(usd_per_day=10)
        ann = c.with_key((await c.service.storage.create_key("ann", limits=limits)).text)
        held = []
        for question in ("?", "word " * 6000):
            asking = asyncio.create_task(ann.chat(question, model="p", max_tokens=100))
            assert await soon(lambda: bool(rows(str(tmp_path / "db"), RESERVATIONS)))
            (row,) = rows(str(tmp_path / "db"), RESERVATIONS)
            held.append((row["tokens"], row["nano_usd"] / NANO))
            asking.cancel()
            assert await soon(lambda: not rows(str(tmp_path / "db"), RESERVATIONS))
        (small, cheap), (large, dear) = held
        assert large - small == 10_000 - 1
        assert dear - cheap == pytest.approx(
            (10_000 - 1) * sum(p[0] for p in PRICES.values()) / 1e6
        )
