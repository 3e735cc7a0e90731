"""Whatever the order of admitting and entering, use is the sum of the records."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.storage.books import is_admitted, key_with, record, recorded, rows
from trigreason.gateway.storage import Record, Storage, Worst
from trigreason.gateway.storage.periods import Period
from trigreason.gateway.storage.tables import RESERVATIONS, USAGE, nano

PERIODS_APART = 10_000_000
"""Seconds; records that are so far apart fall into different minutes, days and months."""


class Admitting(NamedTuple):
    exchange: int
    key: int


class Entering(NamedTuple):
    """``exchange`` may have been admitted, or entered before, or neither."""

    exchange: int
    key: int
    period: int
    tokens: int
    usd: float | None


_few = st.integers(0, 5)
_acts = st.lists(
    st.one_of(
        st.builds(Admitting, _few, st.integers(0, 1)),
        st.builds(
            Entering,
            _few,
            st.integers(0, 1),
            st.integers(0, 1),
            st.integers(0, 10**6),
            st.none() | st.floats(0, 1000),
        ),
    ),
    max_size=15,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(_acts, st.integers(0, 3))
def test_use_is_the_sum_of_the_records(acts: list[Admitting | Entering], pace: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "gateway.db")
        entered, open_ones = asyncio.run(carried_out(place, acts, pace))
        assert recorded(place) == set(entered)
        assert {row["exchange"] for row in rows(place, RESERVATIONS)} == open_ones
        counted = {
            (row["key"], row["period"], row["start"]): (row["tokens"], row["nano_usd"])
            for row in rows(place, USAGE)
            if row["settled"]
        }
        assert counted == sums(entered)


def sums(entered: dict[str, Record]) -> dict[tuple[str, str, int], tuple[int, int]]:
    found: defaultdict[tuple[str, str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for each in entered.values():
        assert each.key
        for period in Period:
            at = (each.key, period.value, period.start(each.ended))
            tokens, money = found[at]
            found[at] = (tokens + each.tokens, money + nano(each.usd or 0.0))
    return dict(found)


async def carried_out(
    place: str, acts: list[Admitting | Entering], pace: int
) -> tuple[dict[str, Record], set[str]]:
    """What was entered, the first of each id, and which exchanges are admitted and still open.

    With a pace the books are given time to be written in between, after every so many acts.
    """
    storage = await Storage.open(place, traces_days=7)
    limits = {"usd_per_month": 1e9, "requests_per_minute": 10**6}
    keys = [await key_with(storage, name, **limits) for name in ("ada", "bob")]
    entered: dict[str, Record] = {}
    open_ones: set[str] = set()
    for index, act in enumerate(acts):
        exchange = f"x{act.exchange}"
        match act:
            case Admitting(key=key) if exchange not in open_ones and exchange not in entered:
                await is_admitted(storage, keys[key], exchange, Worst(10, 0.1))
                open_ones.add(exchange)
            case Entering(key=key, period=period, tokens=tokens, usd=usd):
                one = record(
                    exchange,
                    key=keys[key].id,
                    answer_tokens=tokens,
                    usd=usd,
                    created=1_700_000_000.0 + period * PERIODS_APART,
                )
                storage.enter(one)
                entered.setdefault(exchange, one)
                open_ones.discard(exchange)
        if pace and index % pace == 0:
            await asyncio.sleep(0.06)
    await storage.close()
    return entered, open_ones
