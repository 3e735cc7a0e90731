"""API keys: their form and their limits. ``storage`` keeps them.

A key is ``tr-ID-SECRET``: the id names the key in lists, logs and records; only a hash of the
whole key is stored, so that whoever reads the database cannot use it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

_ID_BYTES = 5
_SECRET_BYTES = 32
_SHAPE = re.compile(r"tr-([0-9a-f]{10})-[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """None means no limit. Tokens are those of the client's usage: prompt, reasoning, answer."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    usd_per_day: float | None = None
    usd_per_month: float | None = None

    @property
    def is_unlimited(self) -> bool:
        return self == KeyLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveKey:
    """A key that is not revoked; ``pairs`` are those it may use, None for all of them."""

    id: str
    name: str
    pairs: tuple[str, ...] | None = None
    limits: KeyLimits = field(default_factory=KeyLimits)

    def may_use(self, pair: str) -> bool:
        return self.pairs is None or pair in self.pairs


class NewKey(NamedTuple):
    """A key that was just made: ``text`` is shown once, ``digest`` is stored."""

    id: str
    text: str
    digest: str


def new_key() -> NewKey:
    """A new random key."""
    identity = secrets.token_hex(_ID_BYTES)
    text = f"tr-{identity}-{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewKey(identity, text, digest(text))


def digest(text: str) -> str:
    """A key's SHA-256, which is enough for 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(text: str) -> str | None:
    """The id in a key; None if the text does not have a key's form."""
    match = _SHAPE.fullmatch(text)
    return match[1] if match else None


def is_key(text: str, kept_digest: str) -> bool:
    """Whether a text is the key with this digest, compared in constant time."""
    return hmac.compare_digest(digest(text), kept_digest)
