"""Who may ask: a key where there are keys; without any, this machine alone."""

from __future__ import annotations

from ipaddress import ip_address
from math import inf
from time import monotonic
from urllib.parse import urlsplit

from starlette.requests import Request

from trigreason.gateway.errors import ApiError
from trigreason.gateway.keys import ActiveKey, id_of
from trigreason.gateway.storage import AWAY_SECONDS, DatabaseAway, Storage

LOOKED_UP_SECONDS = 2.0
"""For so long it is taken for granted that there are keys, or that there are none; while the
database is away for ``AWAY_SECONDS``."""


class Access:
    """Tells a request's key. ``is_local`` says that the gateway listens on loopback alone."""

    def __init__(self, storage: Storage, *, is_local: bool) -> None:
        self._storage = storage
        self._is_local = is_local
        self._has_keys: bool | None = None
        self._looked_up = -inf

    async def key_of(self, request: Request) -> ActiveKey | None:
        """The key of a request; None where none is needed.

        Raises:
            ApiError: the key is missing, unknown or revoked (401), or a page in somebody's
                browser asks a gateway that needs no key under another name (403).
        """
        if await self._is_open():
            if not is_loopback(_host(request)):
                raise ApiError(
                    403,
                    "Without keys this gateway answers only as localhost or 127.0.0.1 or [::1].",
                    code="forbidden_host",
                )
            return None
        text = _shown(request)
        if not text:
            raise ApiError(
                401,
                "This gateway needs a key: send it as Authorization: Bearer tr-...",
                code="invalid_api_key",
            )
        key = await self._storage.authenticate(text)
        if key is None:
            raise ApiError(401, "This key is unknown or revoked.", code="invalid_api_key")
        return key

    async def _is_open(self) -> bool:
        if not self._is_local:
            return False
        now = monotonic()
        if self._has_keys is None or now - self._looked_up > LOOKED_UP_SECONDS:
            try:
                self._has_keys, self._looked_up = await self._storage.has_keys(), now
            except DatabaseAway:
                if self._has_keys is None or now - self._looked_up > AWAY_SECONDS:
                    raise
        return not self._has_keys

    async def can_let_in(self) -> bool:
        """Whether anybody at all could ask at this moment."""
        if self._storage.knows_keys:
            return True
        try:
            return await self._is_open() or await self._storage.has_keys()
        except DatabaseAway:
            return False


def shown_id(request: Request) -> str | None:
    """The id in the key that a request shows, whether or not there is such a key."""
    return id_of(_shown(request))


def _shown(request: Request) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # another name, which may come to stand for any address


def _host(request: Request) -> str:
    """The name that the gateway is asked under, without its port; empty where it is none."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
