"""Traces: whose they are, when they are there, and when they are gone."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.gateway.storage.books import WORST, key_with, record, recorded, rows, settled
from trigreason.gateway.storage import Storage, budgets
from trigreason.gateway.storage import storage as storage_module
from trigreason.gateway.storage.listing import READ, SHOWN, question_of
from trigreason.gateway.storage.tables import RESERVATIONS, TRACES, USAGE

NASTY = {"text": "nul \0 half \ud800 ünï \u2028", "numbers": [1.5, None, 10**30]}


async def test_a_trace_is_there_as_soon_as_its_record_is_entered(storage: Storage) -> None:
    storage.enter(record("x", traces={"x": NASTY, "x-1": {"second": True}}))
    assert await storage.trace("x", None) == NASTY
    assert await storage.trace("x-1", None) == {"second": True}


async def test_also_under_load(storage: Storage) -> None:
    async def load() -> None:
        for index in range(10_000):
            storage.enter(record(f"load {index}"))
            await asyncio.sleep(0.001)

    loading = asyncio.create_task(load())
    await asyncio.sleep(0.1)
    storage.enter(record("x", traces={"x": NASTY}))
    began = time.perf_counter()
    assert await storage.trace("x", None) == NASTY
    assert time.perf_counter() - began < storage_module.TRACE_SECONDS
    loading.cancel()


async def test_only_its_owner_sees_it(storage: Storage) -> None:
    ada, bob = await key_with(storage, "ada"), await key_with(storage, "bob")
    storage.enter(record("x", key=ada.id, traces={"x": NASTY}))
    storage.enter(record("open", traces={"open": NASTY}))
    assert await storage.trace("x", ada.id) == NASTY
    assert await storage.trace("x", None) == NASTY
    assert await storage.trace("x", bob.id) is None
    assert await storage.trace("open", ada.id) is None
    assert await storage.trace("y", None) is None


@pytest.mark.parametrize("trace_id", ["", "x\0", "\ud800", "'; DROP TABLE x", "é" * 10_000])
async def test_ids_that_no_trace_has(storage: Storage, trace_id: str) -> None:
    assert await storage.trace(trace_id, None) is None


async def test_old_ones_are_deleted_and_records_are_not(
    storage: Storage, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "_PRUNED_AT_ONCE", 3)
    now, day = time.time(), 86400
    for index in range(10):
        age = 7 * day + 60 if index < 8 else 7 * day - 60
        storage.enter(record(f"x{index}", created=now - age, traces={f"x{index}": NASTY}))
    await settled(storage)
    await storage.prune()
    assert {row["id"] for row in rows(place, TRACES)} == {"x8", "x9"}
    assert len(recorded(place)) == 10


async def test_so_are_counts_of_minutes_long_gone_and_lapsed_reservations(
    storage: Storage, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await key_with(storage, usd_per_day=1)
    for ago in (0, 2 * 86400):
        storage.enter(record(f"{ago} s ago", key=key.id, created=time.time() - ago))
    await settled(storage)
    assert len([row for row in rows(place, USAGE) if row["period"] == "minute"]) == 2
    long_ago = time.time() - 2 * 86400
    with monkeypatch.context() as then:
        then.setattr(budgets, "time", lambda: long_ago)
        await storage.admit(key, "lapsed", WORST)
    await storage.admit(key, "in flight", WORST)
    await storage.prune()
    assert len([row for row in rows(place, USAGE) if row["period"] == "minute"]) == 1
    assert len([row for row in rows(place, USAGE) if row["period"] == "day"]) == 2
    assert [row["exchange"] for row in rows(place, RESERVATIONS)] == ["in flight"]


async def test_pruning_goes_by_itself(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "PRUNE_SECONDS", 0.05)
    storage = await Storage.open(place, traces_days=1)
    storage.enter(record("x", created=time.time() - 2 * 86400, traces={"x": NASTY}))
    await settled(storage)
    await asyncio.sleep(0.3)
    assert not rows(place, TRACES)
    await storage.close()


def trace_asking(*contents: str, before: str = "") -> dict[str, Any]:
    """The beginning of a trace's JSON, with one message per text and something before them."""
    messages = [{"role": "user", "content": content} for content in contents]
    return {"schema": 2, "method": before, "messages": messages, "steps": []}


@pytest.mark.parametrize(
    ("trace", "question"),
    [
        (trace_asking("Why?"), "Why?"),
        (trace_asking("first", "é “x” \n 👍"), "é “x” \n 👍"),
        (trace_asking("x" * 300), "x" * SHOWN),
        (trace_asking('"messages":[{"role"'), '"messages":[{"role"'),
        (trace_asking("Why?", before='"messages":[5]'), "Why?"),
        (trace_asking("x" * READ), None),
        (trace_asking(), None),
        ({"schema": 2}, None),
    ],
)
def test_the_question_of_a_trace(trace: dict[str, Any], question: str | None) -> None:
    body = json.dumps(trace, separators=(",", ":"))
    assert question_of(body[:READ]) == question


def test_a_system_message_is_no_question() -> None:
    messages = [{"role": "user", "content": "Why?"}, {"role": "system", "content": "s"}]
    assert question_of(json.dumps({"messages": messages}, separators=(",", ":"))) == "Why?"


async def test_the_latest_are_listed(storage: Storage) -> None:
    ada, bob = await key_with(storage, "ada"), await key_with(storage, "bob")
    now = time.time()
    for index, key in enumerate((ada, bob, ada)):
        name, asked = f"run {index}", trace_asking(f"question {index}")
        entered = record(name, key=key.id, created=now + index, traces={name: asked}, usd=index / 8)
        storage.enter(entered)
    every = await storage.latest_traces(None, 9)
    assert [each["id"] for each in every] == ["run 2", "run 1", "run 0"]
    assert [each["question"] for each in every] == ["question 2", "question 1", "question 0"]
    assert [each["usd"] for each in every] == [0.25, 0.125, 0.0]
    assert [each["id"] for each in await storage.latest_traces(ada.id, 9)] == ["run 2", "run 0"]
    assert [each["id"] for each in await storage.latest_traces(None, 1)] == ["run 2"]
