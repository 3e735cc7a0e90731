"""A balancer honours a run's session, and then two replicas keep as much cached as one server."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.balancer import Balancer
from bench.replicas import ARMS, read_by, run
from trigreason.bundled import problems
from trigreason.engines.http import SESSION_HEADER
from trigreason.reasoning import Author

pytestmark = pytest.mark.slow

SESSIONS = st.lists(st.one_of(st.none(), st.sampled_from("abcd")), max_size=40)


@given(SESSIONS, st.integers(1, 4))
def test_a_session_stays_where_it_began_and_the_rest_takes_turns(
    sessions: list[str | None], replicas: int
) -> None:
    balancer = Balancer([str(index) for index in range(replicas)], SESSION_HEADER)
    places: dict[str, str] = {}
    turn = 0
    for session in sessions:
        place = balancer.place(session)
        if session in places:
            assert place == places[session]
            continue
        assert place == str(turn % replicas)
        turn += 1
        if session is not None:
            places[session] = place


async def test_two_replicas_by_session_read_hardly_more_than_one_server() -> None:
    chosen = problems()[:40:5]
    alone, in_turn, by_session = [
        fmean(read_by(author, traces).hit_rate for author in Author)
        for traces in [await run(arm, chosen) for arm in ARMS]
    ]
    assert in_turn < by_session, "without the header half of the prefixes are elsewhere"
    assert by_session > alone - 0.1
