"""Items of recent responses, which later requests may name by their id (``item_reference``)."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from time import monotonic

ROOM = 32 * 2**20
"""Bytes of all items together, in the memory of this process."""

LIFE_SECONDS = 86_400.0
"""How long an item is kept after its last use."""

OVERHEAD = 256
"""Bytes that an item counts beside its text."""


class RecentItems:
    """Items as JSON texts, by owner and id.

    An owner finds its own items alone. Beyond ``room`` bytes, the owner of the most bytes loses
    the items that were not used for longest.
    """

    def __init__(
        self,
        room: int = ROOM,
        seconds: float = LIFE_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._room = room
        self._seconds = seconds
        self._clock = clock
        self._items: dict[str, OrderedDict[str, tuple[float, bytes]]] = {}
        self._sizes: Counter[str] = Counter()

    @property
    def size(self) -> int:
        """Bytes of all items."""
        return self._sizes.total()

    def keep(self, owner: str, identity: str, item: bytes) -> None:
        """Keep an item of ``owner``."""
        self._drop_old()
        self._drop(owner, identity)
        self._items.setdefault(owner, OrderedDict())[identity] = (self._clock(), item)
        self._sizes[owner] += len(item) + OVERHEAD
        while self.size > self._room:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            self._drop(largest, next(iter(self._items[largest])))

    def find(self, owner: str, identity: str) -> bytes | None:
        """An item of ``owner``, whose life begins again; None if it is not kept."""
        self._drop_old()
        own = self._items.get(owner, OrderedDict())
        if identity not in own:
            return None
        _, item = own.pop(identity)
        own[identity] = (self._clock(), item)
        return item

    def _drop(self, owner: str, identity: str) -> None:
        own = self._items.get(owner, OrderedDict())
        if identity not in own:
            return
        _, item = own.pop(identity)
        self._sizes[owner] -= len(item) + OVERHEAD
        if not own:
            del self._items[owner], self._sizes[owner]

    def _drop_old(self) -> None:
        before = self._clock() - self._seconds
        for owner, own in list(self._items.items()):
            while own and next(iter(own.values()))[0] < before:
                self._drop(owner, next(iter(own)))
