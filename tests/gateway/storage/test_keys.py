"""Keys made, met again, listed and revoked."""

from __future__ import annotations

import pytest

from tests.gateway.storage.books import key_with, record, rows
from trigreason.gateway.keys import KeyLimits, new_key
from trigreason.gateway.storage import NameTaken, Storage, key_cache
from trigreason.gateway.storage.tables import KEYS

LIMITS = KeyLimits(
    requests_per_minute=5, tokens_per_minute=6000, usd_per_day=0.1, usd_per_month=2.5
)


async def test_a_key_is_met_again_as_it_was_made(storage: Storage) -> None:
    assert not await storage.has_keys()
    made = await storage.create_key("ada", pairs=["one", "two"], limits=LIMITS)
    assert await storage.has_keys()
    key = await storage.authenticate(made.text)
    assert key is not None
    assert (key.id, key.name, key.pairs, key.limits) == (made.id, "ada", ("one", "two"), LIMITS)


async def test_nothing_kept_is_the_key(storage: Storage, place: str) -> None:
    made = await storage.create_key("ada")
    secret = made.text.split("-", 2)[2]
    assert secret not in repr([dict(row) for row in rows(place, KEYS)])


async def test_texts_that_are_no_key(storage: Storage) -> None:
    made = await storage.create_key("ada")
    half = made.text[:-1]
    other = half + ("A" if made.text[-1] != "A" else "B")
    texts = [
        "",
        "tr-",
        half,
        other,
        f"{made.text}\n",
        f" {made.text}",
        made.text.upper(),
        made.text.replace("tr-", "tr-\0"),
        new_key().text,
        "tr-" + "é" * 54,
        made.text[:14] + "٣" * 43,
        "\ud800",
        "tr-" + "a" * 10_000_000,
        made.text * 100_000,
    ]
    for text in texts:
        assert await storage.authenticate(text) is None, text[:80]


async def test_unknown_keys_are_not_remembered(storage: Storage) -> None:
    for _ in range(50):
        assert await storage.authenticate(new_key().text) is None
    assert storage._keys._cached == {}


async def test_a_revoked_key_stops_here_at_once(storage: Storage) -> None:
    made = await storage.create_key("ada")
    assert await storage.authenticate(made.text)
    assert await storage.revoke_key("ada")
    assert await storage.authenticate(made.text) is None
    assert not await storage.revoke_key("ada")
    assert not await storage.has_keys()


async def test_and_elsewhere_within_seconds(
    storage: Storage, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await storage.create_key("ada")
    other = await Storage.open(place, traces_days=7)
    try:
        assert await other.authenticate(made.text)
        assert await storage.revoke_key(made.id)
        assert await other.authenticate(made.text), "it is still known there"
        monkeypatch.setattr(key_cache, "CACHED_SECONDS", 0.0)
        assert await other.authenticate(made.text) is None
    finally:
        await other.close()


async def test_a_name_is_free_again_once_its_key_is_revoked(storage: Storage) -> None:
    first = await storage.create_key("ada")
    with pytest.raises(NameTaken, match="a key is called ada already"):
        await storage.create_key("ada")
    await storage.revoke_key(first.id)
    second = await storage.create_key("ada")
    assert [row.id for row in await storage.keys()] == [first.id, second.id]


async def test_an_id_goes_before_a_name(storage: Storage) -> None:
    first = await storage.create_key("ada")
    await storage.create_key(first.id)
    assert await storage.revoke_key(first.id)
    assert [row.revoked_at is None for row in await storage.keys()] == [False, True]


@pytest.mark.parametrize("name", ["", " ", "ada ", "a\nb", "a\0b", "a" * 101, "\ud800"])
async def test_names_that_cannot_be(storage: Storage, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 100 printable characters"):
        await storage.create_key(name)


async def test_the_list_tells_what_was_used(place: str) -> None:
    storage = await Storage.open(place, traces_days=7)
    key = await key_with(storage, "ada", usd_per_day=0.1)
    await storage.create_key("bob")
    for index in range(3):
        storage.enter(record(f"x{index}", key=key.id))
    storage.enter(record("refused", key=key.id, outcome="refused", usd=0.0))
    await storage.close()
    again = await Storage.open(place, traces_days=7)
    ada, bob = await again.keys()
    assert (ada.name, ada.requests, ada.usd) == ("ada", 3, 0.03)
    assert ada.limits == KeyLimits(usd_per_day=0.1)
    assert (bob.name, bob.requests, bob.usd, bob.pairs) == ("bob", 0, 0.0, None)
    await again.close()
