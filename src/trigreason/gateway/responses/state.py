"""What a request gets of earlier responses, and leaves for later ones."""

from __future__ import annotations

import json
from typing import Any

from trigreason.gateway.errors import ApiError, invalid
from trigreason.gateway.responses.recent_items import RecentItems
from trigreason.gateway.responses.signing import signed, verified

_SHOWN = 80


class ResponseState:
    """Items by reference and reasoning as ``encrypted_content``, of one request.

    All that it looks up may have ``most`` bytes, as if the client had sent it.
    """

    def __init__(self, recent: RecentItems, owner: str, secret: bytes, most: int) -> None:
        self._recent = recent
        self._owner = owner
        self._secret = secret
        self._left = most

    def item(self, identity: Any, where: str) -> dict[str, Any]:
        """The item with this id. Raises ApiError if none is kept."""
        if not isinstance(identity, str):
            raise invalid(f"{where}.id: must be the id of an item", f"{where}.id")
        if (item := self.kept(identity)) is None:
            raise ApiError(
                404,
                f"{where}: an item with the id {identity[:_SHOWN]!r} is not kept here. Send the "
                "item itself; items are kept for a while only, and not with store: false.",
                param="input",
            )
        return item

    def kept(self, identity: str) -> dict[str, Any] | None:
        """The item with this id; None if none is kept."""
        found = self._recent.find(self._owner, identity)
        if found is None:
            return None
        self._use(len(found))
        item: dict[str, Any] = json.loads(found)
        return item

    def reasoning(self, sealed: str, where: str) -> str:
        """The text of an ``encrypted_content``. Raises ApiError if no such gateway made it."""
        try:
            text = verified(sealed, self._secret, self._left)
        except OverflowError:
            raise _too_long() from None
        except ValueError:
            field = f"{where}.encrypted_content"
            what = "is not as this gateway wrote it; leave the reasoning item out"
            raise invalid(f"{field}: {what}", field, "invalid_encrypted_content") from None
        self._use(len(text.encode()))
        return text

    def signed(self, text: str) -> str:
        """A reasoning as ``encrypted_content``."""
        return signed(text, self._secret)

    def keep(self, items: list[dict[str, Any]]) -> None:
        """Keep the items of a response for references."""
        for item in items:
            self._recent.keep(self._owner, item["id"], json.dumps(item).encode())

    def _use(self, size: int) -> None:
        if size > self._left:
            raise _too_long()
        self._left -= size


def _too_long() -> ApiError:
    return invalid("input: what it refers to is too long", "input")
