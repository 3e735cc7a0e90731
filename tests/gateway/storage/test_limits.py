"""Limits of keys, one at a time and under concurrency."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import soon
from tests.gateway.storage.books import WORST, is_admitted, key_with, record, rows, settled
from tests.gateway.telemetry.exchanges import made_exchange, made_trace
from trigreason.gateway.exchange import ChoiceRun
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.storage import OverLimit, Record, Storage, Worst, budgets, reservations
from trigreason.gateway.storage import storage as storage_module
from trigreason.gateway.storage.periods import DAY
from trigreason.gateway.storage.tables import RESERVATIONS, USAGE
from trigreason.reasoning import Message

NOON = datetime(2026, 3, 31, 12, 0, 15, tzinfo=UTC).timestamp()
Clock = Callable[[float], None]


@pytest.fixture(autouse=True)  # before the storage, which forgets what is long past
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time by which limits are kept; it stands still at noon, 15 s past the minute."""

    def put(now: float) -> None:
        for module in (budgets, storage_module):
            monkeypatch.setattr(module, "time", lambda: now)

    put(NOON)
    return put


async def admitted(storage: Storage, key: ActiveKey, count: int, worst: Worst = WORST) -> int:
    """How many of so many at once get through."""
    asked = (is_admitted(storage, key, f"{key.id} {n}", worst) for n in range(count))
    return sum(await asyncio.gather(*asked))


async def refusal(storage: Storage, key: ActiveKey) -> tuple[str, float]:
    with pytest.raises(OverLimit) as refused:
        await storage.admit(key, "one more", WORST)
    return refused.value.limit, refused.value.retry_after


async def test_without_limits_nothing_is_written(storage: Storage, place: str) -> None:
    key = await key_with(storage)
    assert await admitted(storage, key, 5) == 5
    assert not rows(place, USAGE)
    assert not rows(place, RESERVATIONS)


async def test_requests_per_minute(storage: Storage, place: str, clock: Clock) -> None:
    key = await key_with(storage, requests_per_minute=20)
    other = await key_with(storage, "other", requests_per_minute=20)
    assert await admitted(storage, key, 100) == 20
    assert await refusal(storage, key) == ("requests_per_minute", 45.0)
    assert await is_admitted(storage, other, "of another key")
    clock(NOON + 45)
    assert await admitted(storage, key, 100) == 20
    assert not rows(place, RESERVATIONS)


async def test_a_prompt_that_no_server_counts_uses_tokens_up(storage: Storage) -> None:
    key = await key_with(storage, tokens_per_minute=1000)
    untold = [replace(each, prompt_tokens=None) for each in made_trace().stretches]
    trace = made_trace(stretches=untold, messages=(Message("user", "x" * 6000),))
    runs = [ChoiceRun(0, trace, finish_reason="stop")]
    exchange = made_exchange(key=key, runs=runs, created=NOON, seconds=1.0)
    assert await is_admitted(storage, key, exchange.id)
    storage.enter(Record.of(exchange, keep_traces=False))
    await settled(storage)
    assert await refusal(storage, key) == ("tokens_per_minute", 45.0)


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        ({"tokens_per_minute": 2000}, ("tokens_per_minute", 5.0)),
        ({"usd_per_day": 0.2}, ("usd_per_day", 5.0)),
        ({"usd_per_month": 0.2}, ("usd_per_month", 5.0)),
    ],
)
async def test_what_is_in_flight_counts(
    storage: Storage, clock: Clock, limits: dict[str, Any], refused: tuple[str, float]
) -> None:
    key = await key_with(storage, **limits)
    assert await admitted(storage, key, 100) == 20
    assert await refusal(storage, key) == refused


@pytest.mark.parametrize(
    ("limits", "refused", "again"),
    [
        ({"tokens_per_minute": 24}, ("tokens_per_minute", 45.0), 45),
        ({"usd_per_day": 0.02}, ("usd_per_day", 12 * 3600 - 15.0), 12 * 3600),
        ({"usd_per_month": 0.02}, ("usd_per_month", 12 * 3600 - 15.0), 12 * 3600),
    ],
)
async def test_what_is_spent_counts_until_its_period_is_over(
    storage: Storage,
    clock: Clock,
    limits: dict[str, Any],
    refused: tuple[str, float],
    again: float,
) -> None:
    key = await key_with(storage, **limits)
    for index in range(2):
        assert await is_admitted(storage, key, f"x{index}", Worst(1, 0.0))
        storage.enter(record(f"x{index}", key=key.id, created=NOON - 1))
    await settled(storage)
    assert await refusal(storage, key) == refused
    clock(NOON + again)
    assert await is_admitted(storage, key, "later")


async def test_a_month_is_more_than_its_last_day(storage: Storage, clock: Clock) -> None:
    by_day = await key_with(storage, "by day", usd_per_day=0.02)
    by_month = await key_with(storage, "by month", usd_per_month=0.02)
    for key in (by_day, by_month):
        for days in (2, 1):
            spent = f"{key.id} {days}"
            storage.enter(record(spent, key=key.id, created=NOON - days * DAY))
    await settled(storage)
    assert await is_admitted(storage, by_day, "by day")
    assert await refusal(storage, by_month) == ("usd_per_month", 12 * 3600 - 15.0)


async def test_a_record_gives_back_what_was_reserved(
    storage: Storage, place: str, clock: Clock
) -> None:
    key = await key_with(storage, usd_per_day=0.03)
    assert await admitted(storage, key, 5, Worst(100, 0.02)) == 2
    held = [row["exchange"] for row in rows(place, RESERVATIONS)]
    storage.enter(record(held[0], key=key.id, usd=0.0, outcome="refused", created=NOON))
    storage.enter(record(held[1], key=key.id, usd=0.01, created=NOON))
    await settled(storage)
    assert not rows(place, RESERVATIONS)
    assert await admitted(storage, key, 5, Worst(100, 0.02)) == 1


async def test_from_five_exchanges_on_the_average_is_reserved(
    storage: Storage, place: str, clock: Clock
) -> None:
    key = await key_with(storage, usd_per_month=100)
    for index in range(5):
        storage.enter(record(f"x{index}", key=key.id, created=NOON, usd=0.01 * index))
    storage.enter(record("no matter", key=key.id, created=NOON, usd=0.0, outcome="refused"))
    await settled(storage)
    assert await is_admitted(storage, key, "large", Worst(10_000, 5.0))
    assert await is_admitted(storage, key, "small", Worst(1, 0.001))
    # 6 records of 12 tokens, 5 of which were served
    expected = [("large", math.ceil(72 / 5), 20_000_000), ("small", 1, 1_000_000)]
    found = rows(place, RESERVATIONS)
    assert [(row["exchange"], row["tokens"], row["nano_usd"]) for row in found] == expected


async def test_a_reservation_lapses(storage: Storage, place: str, clock: Clock) -> None:
    key = await key_with(storage, usd_per_day=0.01)
    await storage.admit(key, "killed", WORST)
    clock(NOON + budgets.RESERVED_SECONDS - 1)
    assert not await is_admitted(storage, key, "early")
    clock(NOON + budgets.RESERVED_SECONDS)
    assert budgets.RESERVED_SECONDS <= 60, "within a minute of a crash"
    assert await is_admitted(storage, key, "late")


async def test_a_reservation_holds_while_its_process_lives(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservations, "RENEWED_SECONDS", 0.01)
    moments = iter(NOON + 20 * step for step in range(1000))
    monkeypatch.setattr(budgets, "time", lambda: next(moments))
    storage = await Storage.open(place, traces_days=7)
    key = await key_with(storage, usd_per_day=0.01)
    await storage.admit(key, "long", WORST)

    def expires() -> float:
        return max((row["expires"] for row in rows(place, RESERVATIONS)), default=0.0)

    lapses = expires()
    assert await soon(lambda: expires() > lapses + 3 * budgets.RESERVED_SECONDS)
    assert not await is_admitted(storage, key, "early"), "it goes on to be held back"
    storage.enter(record("long", key=key.id, usd=0.0, created=NOON))
    await settled(storage)
    assert await is_admitted(storage, key, "late")
    await storage.close()


async def test_a_reservation_that_lapsed_in_an_outage_is_revived(
    storage: Storage, place: str, clock: Clock
) -> None:
    key = await key_with(storage, usd_per_day=0.01)
    await storage.admit(key, "long", WORST)
    clock(NOON + 600)
    await storage.prune()
    await storage._reservations.renew()
    assert not await is_admitted(storage, key, "early")


async def test_a_limit_that_is_only_held_back_is_not_spent(storage: Storage, clock: Clock) -> None:
    key = await key_with(storage, usd_per_day=0.01)
    assert await is_admitted(storage, key, "alone", Worst(100, 5.0))
    with pytest.raises(OverLimit) as held:
        await storage.admit(key, "other", WORST)
    assert (held.value.is_spent, held.value.retry_after) == (False, budgets.SOON_SECONDS)
    storage.enter(record("alone", key=key.id, usd=5.0, created=NOON))
    await settled(storage)
    with pytest.raises(OverLimit) as spent:
        await storage.admit(key, "other", WORST)
    assert (spent.value.is_spent, spent.value.retry_after) == (True, 12 * 3600 - 15.0)


async def test_a_prompt_is_held_back_in_full_whatever_the_average_is(
    storage: Storage, place: str, clock: Clock
) -> None:
    key = await key_with(storage, usd_per_month=100)
    for index in range(5):
        storage.enter(record(f"x{index}", key=key.id, created=NOON, usd=0.01))
    await settled(storage)
    assert await is_admitted(storage, key, "large", Worst(1, 0.001, 50_000, 0.7))
    (row,) = rows(place, RESERVATIONS)
    assert (row["tokens"], row["nano_usd"]) == (50_000, 700_000_000)


async def test_without_a_price_no_usd_are_counted(
    storage: Storage, place: str, clock: Clock
) -> None:
    key = await key_with(storage, usd_per_day=0.01)
    assert await admitted(storage, key, 30, Worst(100, None)) == 30
    storage.enter(record(f"{key.id} 0", key=key.id, usd=None, created=NOON))
    await settled(storage)
    assert {row["nano_usd"] for row in rows(place, USAGE)} == {0}
    assert await is_admitted(storage, key, "more")


@pytest.mark.parametrize("usd", [1e-12, 1e300, math.inf])
async def test_extreme_amounts_are_no_errors(storage: Storage, usd: float) -> None:
    key = await key_with(storage, usd_per_day=1e300)
    assert await is_admitted(storage, key, "x", Worst(10**15, usd))
    storage.enter(record("x", key=key.id, created=time.time()))
    await settled(storage)
