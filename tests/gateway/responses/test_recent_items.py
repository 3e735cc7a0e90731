"""The items that references find: whose, how long and how many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trigreason.gateway.responses.recent_items import OVERHEAD, RecentItems

Kept = tuple[str, str, int]
KEPT = st.tuples(st.sampled_from("abc"), st.sampled_from("123456"), st.integers(0, 3000))


@given(st.lists(KEPT))
def test_there_are_never_more_bytes_than_room(kept: list[Kept]) -> None:
    recent = RecentItems(room=5000)
    last: dict[tuple[str, str], bytes] = {}
    for owner, identity, size in kept:
        last[owner, identity] = b"x" * size
        recent.keep(owner, identity, last[owner, identity])
        found = {key: item for key in last if (item := recent.find(*key)) is not None}
        assert recent.size == sum(len(item) + OVERHEAD for item in found.values()) <= 5000
        assert found.items() <= last.items()


def test_an_owner_finds_its_own_items_alone() -> None:
    recent = RecentItems()
    recent.keep("ann", "1", b"hers")
    recent.keep("bob", "1", b"his")
    assert (recent.find("ann", "1"), recent.find("bob", "1")) == (b"hers", b"his")
    assert recent.find("bob", "2") is recent.find("eve", "1") is None


def test_the_owner_of_the_most_loses_what_was_not_used_for_longest() -> None:
    recent = RecentItems(room=3 * (100 + OVERHEAD))
    recent.keep("ann", "1", b"x" * 100)
    for identity in "12":
        recent.keep("bob", identity, b"x" * 100)
    recent.find("bob", "1")
    recent.keep("bob", "3", b"x" * 100)
    assert recent.find("bob", "2") is None
    assert None not in (recent.find("ann", "1"), recent.find("bob", "1"), recent.find("bob", "3"))


def test_an_item_that_fits_nowhere_costs_others_nothing() -> None:
    recent = RecentItems(room=1000)
    recent.keep("ann", "1", b"")
    recent.keep("bob", "1", b"x" * 1000)
    assert (recent.find("ann", "1"), recent.find("bob", "1")) == (b"", None)


def test_an_items_life_begins_again_with_each_use() -> None:
    now = 0.0
    recent = RecentItems(seconds=10.0, clock=lambda: now)
    recent.keep("ann", "used", b"")
    recent.keep("ann", "unused", b"")
    now = 9.0
    assert recent.find("ann", "used") == b""
    now = 10.0
    assert recent.find("ann", "unused") == b""
    now = 19.0
    assert recent.find("ann", "used") == b""
    now = 20.5
    assert recent.find("ann", "unused") is None
    assert recent.size == OVERHEAD
    now = 30.0
    recent.keep("bob", "other", b"")
    assert recent.size == OVERHEAD
