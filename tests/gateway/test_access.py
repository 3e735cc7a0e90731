"""Who may ask: everybody on this machine while there are no keys, and then who shows one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.requests import Request

from trigreason.gateway import access
from trigreason.gateway.access import Access, is_loopback, shown_id
from trigreason.gateway.errors import ApiError
from trigreason.gateway.keys import ActiveKey, KeyLimits, id_of, new_key
from trigreason.gateway.storage import DatabaseAway, Storage


@pytest_asyncio.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(str(tmp_path / "db"), traces_days=1)
    yield opened
    await opened.close()


def request(
    host: str | None = "127.0.0.1:8000",
    authorization: str | None = None,
    api_key: str | None = None,
) -> Request:
    headers = [(b"host", host.encode("latin-1"))] if host is not None else []
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    if api_key is not None:
        headers.append((b"x-api-key", api_key.encode("latin-1")))
    return Request({"type": "http", "headers": headers})


async def refused(door: Access, asking: Request) -> tuple[int, str | None]:
    with pytest.raises(ApiError) as error:
        await door.key_of(asking)
    return error.value.status, error.value.code


OWN = ("127.0.0.1:8000", "127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.2:80")
FOREIGN = (
    *("evil.example", "evil.example:8000", "localhost.evil.example", "127.evil.example"),
    *("10.0.0.7:8000", "", "[", "[::1", "]:80", "127.0.0.1@evil.example", "0.0.0.0:8000", None),
)


async def test_without_keys_this_machine_may_ask(storage: Storage) -> None:
    door = Access(storage, is_local=True)
    for host in OWN:
        assert await door.key_of(request(host)) is None
    assert await door.key_of(request(authorization="Bearer none")) is None, "it does no harm"


async def test_a_page_under_another_name_may_not(storage: Storage) -> None:
    door = Access(storage, is_local=True)
    for host in FOREIGN:
        assert await refused(door, request(host)) == (403, "forbidden_host")


@pytest.mark.parametrize("is_local", [True, False])
async def test_with_keys_whoever_shows_one_may_ask(storage: Storage, is_local: bool) -> None:
    made = await storage.create_key("ann", pairs=["bundled"])
    door = Access(storage, is_local=is_local)
    for written in (f"Bearer {made.text}", f"bearer   {made.text} "):
        key = await door.key_of(request("gateway.example", written))
        assert key == ActiveKey(id=made.id, name="ann", pairs=("bundled",))
    for bearer in (None, "Bearer ", "Basic dXNlcjpwYXNz"):
        asking = request("gateway.example", bearer, f" {made.text}")
        assert await door.key_of(asking) == key
        assert shown_id(asking) == made.id
    contrary = request("gateway.example", "Bearer none", made.text)
    assert await refused(door, contrary) == (401, "invalid_api_key"), "a bearer goes first"
    assert await refused(door, request()) == (401, "invalid_api_key")


NO_KEYS = (
    *("", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "tr-0123456789-", "Bearer tr-"),
    *("Bearer " + "x" * 60_000, "Bearer \xff\xfe", "Bearer tr-0123456789-" + "a" * 43),
)


async def test_what_is_no_key(storage: Storage) -> None:
    await storage.create_key("ann")
    door = Access(storage, is_local=False)
    for text in NO_KEYS:
        assert await refused(door, request(authorization=text)) == (401, "invalid_api_key")


async def test_the_id_alone_is_not_enough(storage: Storage) -> None:
    made, other = await storage.create_key("ann"), new_key()
    forged = other.text.replace(other.id, made.id)
    assert id_of(forged) == made.id
    door = Access(storage, is_local=False)
    assert (await refused(door, request(authorization=f"Bearer {forged}")))[0] == 401


async def test_a_key_that_is_revoked(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "LOOKED_UP_SECONDS", 0.0)
    made = await storage.create_key("ann")
    asking = request(authorization=f"Bearer {made.text}")
    local, open_to_all = Access(storage, is_local=True), Access(storage, is_local=False)
    for door in (local, open_to_all):
        assert await door.key_of(asking) is not None
    assert await storage.revoke_key("ann")
    assert await local.key_of(asking) is None, "there are no keys any more"
    assert (await refused(open_to_all, asking))[0] == 401


async def test_the_first_key_closes_the_door(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "LOOKED_UP_SECONDS", 0.0)
    door = Access(storage, is_local=True)
    assert await door.key_of(request()) is None
    await storage.create_key("ann")
    assert (await refused(door, request()))[0] == 401


async def test_in_an_outage_those_who_were_known_go_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "LOOKED_UP_SECONDS", 0.0)
    unlimited = await storage.create_key("ann")
    doors = {is_local: Access(storage, is_local=is_local) for is_local in (True, False)}
    asking = request(authorization=f"Bearer {unlimited.text}")
    stranger = request(authorization=f"Bearer {new_key().text}")
    for door in doors.values():
        assert await door.key_of(asking)
    unasked = Access(storage, is_local=True)

    async def away(_: object) -> None:
        raise DatabaseAway("it does not answer")

    monkeypatch.setattr(storage._database, "read", away)
    for door in doors.values():
        assert await door.key_of(asking)
        assert await door.can_let_in()
        with pytest.raises(DatabaseAway):
            await door.key_of(stranger)
    with pytest.raises(DatabaseAway):
        await unasked.key_of(request())
    storage._keys.forget()
    for door in (*doors.values(), unasked):
        assert not await door.can_let_in(), "nobody is known"
    monkeypatch.setattr(access, "AWAY_SECONDS", 0.0)
    with pytest.raises(DatabaseAway):
        await doors[True].key_of(request())


async def test_in_an_outage_a_gateway_without_keys_stays_open(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "LOOKED_UP_SECONDS", 0.0)
    door = Access(storage, is_local=True)
    assert await door.key_of(request()) is None

    async def away(_: object) -> None:
        raise DatabaseAway("it does not answer")

    monkeypatch.setattr(storage._database, "read", away)
    assert await door.key_of(request()) is None
    assert await door.can_let_in()


async def test_a_key_with_limits_does_not_make_a_gateway_ready(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await storage.create_key("ann", limits=KeyLimits(usd_per_day=1))
    door = Access(storage, is_local=False)
    assert await door.key_of(request(authorization=f"Bearer {made.text}"))
    assert await door.can_let_in()

    async def away(_: object) -> None:
        raise DatabaseAway("it does not answer")

    monkeypatch.setattr(storage._database, "read", away)
    assert not await door.can_let_in(), "its limits cannot be looked up"


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *((host, True) for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.7", "example.org", "", "127.x.org")),
    ],
)
def test_addresses_that_only_this_machine_reaches(host: str, own: bool) -> None:
    assert is_loopback(host) is own
