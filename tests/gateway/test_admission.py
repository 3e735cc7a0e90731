"""Places and the queue for them: bounded, fair, and none lost whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trigreason.gateway.admission import FIRST_GUESS, SHARE, Admission, QueueFull


class Guests:
    """Those who want in, as tasks; ``order`` is who got in, in that order."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.order: list[str] = []
        self.leave: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, source: str, count: int = 1) -> None:
        """Somebody comes, and gets as far as is possible at once."""
        self.leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stay(name, source, count))
        await settled()

    async def go(self, name: str) -> None:
        self.leave[name].set()
        await settled()

    def cancel(self, name: str) -> None:
        self.tasks[name].cancel()

    async def _stay(self, name: str, source: str, count: int) -> None:
        async with self.admission.place(source, count):
            self.order.append(name)
            await self.leave[name].wait()


async def settled() -> None:
    """Let everything that is due happen."""
    for _ in range(5):
        await asyncio.sleep(0)


async def everybody_leaves(guests: Guests) -> None:
    for name in guests.leave:
        guests.leave[name].set()
    await asyncio.gather(*guests.tasks.values(), return_exceptions=True)
    assert (guests.admission.running, guests.admission.waiting) == (0, 0)


async def test_so_many_run_and_the_others_wait_in_their_order() -> None:
    guests = Guests(Admission(2, 10))
    for name in "abcd":
        await guests.come(name, "one")
    assert guests.order == ["a", "b"]
    assert (guests.admission.running, guests.admission.waiting) == (2, 2)
    await guests.go("b")
    assert guests.order == ["a", "b", "c"]
    await guests.go("a")
    assert guests.order == ["a", "b", "c", "d"]
    await everybody_leaves(guests)


async def test_sources_take_turns() -> None:
    guests = Guests(Admission(1, 10))
    await guests.come("first", "greedy")
    for name in ("g1", "g2", "g3"):
        await guests.come(name, "greedy")
    for name in ("m1", "m2"):
        await guests.come(name, "modest")
    for name in ("first", "m1", "g1", "m2", "g2", "g3"):
        assert guests.order[-1] == name
        await guests.go(name)
    await everybody_leaves(guests)


@pytest.mark.parametrize("places", [1, 4])
async def test_one_request_is_next_behind_a_hundred_of_another_source(places: int) -> None:
    guests = Guests(Admission(places, 200))
    for index in range(places + 100):
        await guests.come(f"g{index}", "greedy")
    await guests.come("m", "modest")
    assert guests.admission.waiting == 101
    await guests.go("g0")
    assert guests.order[-1] == "m"
    await everybody_leaves(guests)


async def test_long_runs_take_no_places_from_short_ones() -> None:
    guests = Guests(Admission(4, 100))
    for index in range(20):
        await guests.come(f"long{index}", "one")
    for index in range(20):
        await guests.come(f"short{index}", "other")
    await guests.go("long0")
    await guests.go("long1")
    for index in range(18):
        assert guests.order[-1] == f"short{index + 1}", "both have half of the places"
        await guests.go(f"short{index}")
    assert not any(guests.tasks[f"long{index}"].done() for index in (2, 3))
    await everybody_leaves(guests)


async def test_who_comes_when_a_place_is_free_and_has_none_takes_it() -> None:
    guests = Guests(Admission(3, 10))
    await guests.come("a", "one")
    await guests.come("wide", "one", 3)
    await guests.come("b", "two")
    assert guests.order == ["a", "b"], "the wide one waits for its own"
    await guests.go("b")
    await guests.go("a")
    assert guests.order[-1] == "wide"
    await everybody_leaves(guests)


async def test_no_source_fills_the_queue() -> None:
    guests = Guests(Admission(1, 50))
    for index in range(80):
        await guests.come(f"g{index}", "greedy")
    waiting = guests.admission.waiting
    assert waiting == 40, "four fifths"
    for source in ("a", "b", "c"):
        await guests.come(source, source)
        waiting += 1
        assert guests.admission.waiting == waiting, "there is room for others"
    await guests.go("g0")
    assert guests.order[-1] == "a", "and it is their turn"
    await everybody_leaves(guests)


async def test_nobody_overtakes_who_needs_more_places() -> None:
    guests = Guests(Admission(3, 10))
    await guests.come("a", "one")
    await guests.come("b", "two")
    await guests.come("wide", "three", 3)
    await guests.come("small", "four")
    await guests.go("a")
    assert guests.order == ["a", "b"], "there is room for the small one, and it waits"
    await guests.go("b")
    assert guests.order == ["a", "b", "wide"]
    await guests.go("wide")
    assert guests.order[-1] == "small"
    await everybody_leaves(guests)


async def test_the_queue_has_an_end() -> None:
    admission = Admission(2, 2)
    guests = Guests(admission)
    for name in "ab":
        await guests.come(name, "one")
    await guests.come("c", "two", 2)
    with pytest.raises(QueueFull) as full:
        await admission.place("other").__aenter__()
    assert full.value.retry_after >= FIRST_GUESS
    assert (admission.running, admission.waiting) == (2, 2)
    await everybody_leaves(guests)


async def test_without_a_queue_whoever_finds_no_place_goes() -> None:
    admission = Admission(1, 0)
    async with admission.place("a"):
        with pytest.raises(QueueFull):
            async with admission.place("a"):
                raise AssertionError("there is one place")
    async with admission.place("a"):
        assert admission.running == 1
    assert admission.running == 0


async def test_the_guess_follows_how_long_runs_last() -> None:
    admission = Admission(1, 0)
    for _ in range(80):
        async with admission.place("a"):
            pass
    async with admission.place("a"):
        with pytest.raises(QueueFull) as full:
            await admission.place("a").__aenter__()
    assert full.value.retry_after < FIRST_GUESS / 100


async def test_a_failure_gives_the_place_back() -> None:
    admission = Admission(1, 1)
    with pytest.raises(ZeroDivisionError):
        async with admission.place("a"):
            raise ZeroDivisionError
    assert admission.running == 0


async def cancelled_while_running(guests: Guests) -> None:
    guests.cancel("holder")


async def cancelled_while_waiting(guests: Guests) -> None:
    guests.cancel("waiter")
    await settled()
    await guests.go("holder")


async def cancelled_when_just_called_up(guests: Guests) -> None:
    guests.leave["holder"].set()
    await asyncio.sleep(0)  # the holder leaves, and calls the waiter up
    assert guests.admission.waiting == 1
    assert guests.order == ["holder"], "it does not know yet"
    guests.cancel("waiter")


async def called_up_when_just_cancelled(guests: Guests) -> None:
    guests.cancel("holder")
    guests.cancel("waiter")


async def called_up_by_one_who_was_woken_before(guests: Guests) -> None:
    guests.leave["holder"].set()
    guests.cancel("waiter")


@pytest.mark.parametrize(
    "happens",
    [
        cancelled_while_running,
        cancelled_while_waiting,
        cancelled_when_just_called_up,
        called_up_when_just_cancelled,
        called_up_by_one_who_was_woken_before,
    ],
)
async def test_cancelled_at_any_moment(happens: Callable[[Guests], Awaitable[None]]) -> None:
    guests = Guests(Admission(1, 10))
    for name in ("holder", "waiter", "next"):
        await guests.come(name, name)
    await happens(guests)
    await settled()
    if not guests.tasks["waiter"].done():
        assert guests.order == ["holder", "waiter"]
        await guests.go("waiter")
    assert guests.order[-1] == "next"
    assert (guests.admission.running, guests.admission.waiting) == (1, 0)
    await everybody_leaves(guests)
    for task in guests.tasks.values():
        assert task.cancelled() or task.exception() is None


async def test_everybody_is_cancelled_at_once() -> None:
    guests = Guests(Admission(2, 20))
    for index in range(12):
        await guests.come(str(index), str(index % 3), 1 + index % 2)
    for name in guests.tasks:
        guests.cancel(name)
    await asyncio.gather(*guests.tasks.values(), return_exceptions=True)
    assert all(task.cancelled() for task in guests.tasks.values())
    assert (guests.admission.running, guests.admission.waiting) == (0, 0)


class Places(RuleBasedStateMachine):
    """Anything may happen in any order, several things before anybody is woken."""

    MOST = 4
    QUEUED = 6

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.admission = Admission(self.MOST, self.QUEUED)
        self.inside = 0
        self.leave: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def _stay(self, source: str, count: int, leave: asyncio.Event) -> None:
        try:
            async with self.admission.place(source, count):
                self.inside += count
                try:
                    await leave.wait()
                finally:
                    self.inside -= count
        except QueueFull:
            free = self.QUEUED - self.admission.waiting
            own = sum(each.count for each in self.admission._sources.get(source, ()))
            assert count > free or own + count > SHARE * free

    @rule(source=st.sampled_from("abc"), count=st.integers(1, MOST))
    def come(self, source: str, count: int) -> None:
        self.leave.append(asyncio.Event())
        self.tasks.append(self.loop.create_task(self._stay(source, count, self.leave[-1])))

    @rule(who=st.integers(0, 50))
    def go(self, who: int) -> None:
        if self.leave:
            self.leave[who % len(self.leave)].set()

    @rule(who=st.integers(0, 50))
    def cancel(self, who: int) -> None:
        if self.tasks:
            self.tasks[who % len(self.tasks)].cancel()

    @rule(times=st.integers(1, 4))
    def let_happen(self, times: int) -> None:
        for _ in range(times):
            self.loop.run_until_complete(asyncio.sleep(0))

    @invariant()
    def within_bounds(self) -> None:
        assert self.inside <= self.admission.running <= self.MOST
        assert 0 <= self.admission.waiting <= self.QUEUED

    def teardown(self) -> None:
        for event in self.leave:
            event.set()
        ends = self.loop.run_until_complete(self._ends())
        self.loop.close()
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)
        assert (self.admission.running, self.admission.waiting, self.inside) == (0, 0, 0)

    async def _ends(self) -> list[BaseException | None]:
        return await asyncio.gather(*self.tasks, return_exceptions=True)


TestPlaces = Places.TestCase
TestPlaces.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
