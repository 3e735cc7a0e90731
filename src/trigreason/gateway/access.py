"""Authentication: every request needs a key; without any keys, only this machine may ask."""

from __future__ import annotations

import hmac
import secrets
from ipaddress import ip_address
from math import inf
from time import monotonic
from urllib.parse import urlsplit

from starlette.requests import Request

from trigreason.gateway.errors import ApiError
from trigreason.gateway.keys import ActiveKey, id_of
from trigreason.gateway.storage import AWAY_SECONDS, DatabaseAway, Storage

LOOKED_UP_SECONDS = 2.0
"""How long the answer to "are there keys?" is cached; ``AWAY_SECONDS`` during an outage."""


class Access:
    """Finds a request's key. ``is_local``: the gateway listens on loopback alone."""

    def __init__(self, storage: Storage, *, is_local: bool) -> None:
        self._storage = storage
        self._is_local = is_local
        self._secret = secrets.token_bytes(32)
        self._has_keys: bool | None = None
        self._looked_up = -inf

    async def key_of(self, request: Request) -> ActiveKey | None:
        """The key of a request, or None if the gateway needs no keys.

        Raises:
            ApiError: the key is missing, unknown or revoked (401), or the gateway needs no keys
                and the Host header is not this machine's (403), as in DNS rebinding by a web page.
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
                "This gateway needs a key, as Authorization: Bearer tr-... or as x-api-key: tr-...",
                code="invalid_api_key",
            )
        key = await self._storage.authenticate(text)
        if key is None:
            raise ApiError(401, "This key is unknown or revoked.", code="invalid_api_key")
        return key

    def conversation(
        self, request: Request, key: ActiveKey | None, cache_key: str | None
    ) -> str | None:
        """The id of the conversation that a client names, by ``x-session-id`` or a cache key.

        None if it names none. The id is an HMAC with the client's key, or without keys with a
        secret of this process: a model server can neither read the name nor guess it, and two
        clients share no conversation.
        """
        name = request.headers.get("x-session-id") or cache_key
        if not name:
            return None
        secret = _shown(request).encode() if key is not None else self._secret
        return hmac.digest(secret, name.encode(), "sha256").hex()

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
        """Whether any client could be authenticated at this moment."""
        if self._storage.knows_keys:
            return True
        try:
            return await self._is_open() or await self._storage.has_keys()
        except DatabaseAway:
            return False


def shown_id(request: Request) -> str | None:
    """The id in the key that a request sends, whether or not such a key exists."""
    return id_of(_shown(request))


def _shown(request: Request) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    return request.headers.get("x-api-key", "").strip()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host to listen on."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # another name may resolve to any address


def _host(request: Request) -> str:
    """The host in the Host header, without its port; empty if there is none."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
