"""Reasoning that a client keeps and sends back: ``encrypted_content``.

It is compressed and signed, not secret: whoever has it can read it, but only a gateway with the
same secret can have made it.
"""

from __future__ import annotations

import hmac
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

_HASH = "sha256"
_SIGNATURE = 32
"""Bytes."""


def signed(text: str, secret: bytes) -> str:
    """A text in a form that :func:`verified` reads: letters, digits, ``-``, ``_`` and ``=``."""
    packed = zlib.compress(text.encode())
    return urlsafe_b64encode(hmac.digest(secret, packed, _HASH) + packed).decode()


def verified(sealed: str, secret: bytes, most: int) -> str:
    """The text that :func:`signed` was given.

    Raises:
        ValueError: it was changed, or signed with another secret.
        OverflowError: the text is longer than ``most`` bytes.
    """
    data = urlsafe_b64decode(sealed)
    signature, packed = data[:_SIGNATURE], data[_SIGNATURE:]
    if urlsafe_b64encode(data) != sealed.encode():
        raise ValueError("holds something else than what is signed")
    if not hmac.compare_digest(signature, hmac.digest(secret, packed, _HASH)):
        raise ValueError("the signature is not this gateway's")
    text = zlib.decompressobj().decompress(packed, most + 1)
    if len(text) > most:
        raise OverflowError(f"more than {most} bytes")
    return text.decode()
