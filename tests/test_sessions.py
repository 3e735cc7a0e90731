"""The session header: which requests share one, in every run and with every kind of engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.runs import told
from tests.scripted_server import (
    SURE,
    Double,
    Reply,
    chatter,
    listening,
    say,
    scripted_pair,
    words,
)
from trigreason.engines.base import EngineError, Prefix, Request, Sampling
from trigreason.engines.connect import MAKERS, FoundModel
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.hiding import Hiding
from trigreason.reasoning import Author, Message, Purpose, Thresholds
from trigreason.running.requests import sessions

pytestmark = pytest.mark.slow

END = "</think>\n\nIt is."
ID = re.compile("[0-9a-f]{32}")
OFFLOADING = Thresholds(n=0, rho=0.5, m=0)


def shared(double: Double) -> tuple[str, str]:
    """The one session of all requests to the SRM, and that of all requests to the LRM."""
    (srm,), (lrm,) = set(double.srm.sessions), set(double.lrm.sessions)
    assert srm is not None
    assert lrm is not None
    assert ID.fullmatch(srm)
    assert ID.fullmatch(lrm)
    assert srm != lrm
    return srm, lrm


async def test_scores_and_rewrites_share_a_session() -> None:
    srm = [chatter("Good.\n\nBad.\n\n"), say("End." + END)]
    lrm = [say("8"), say("3"), chatter("Better.\n\n"), say("9")]
    async with scripted_pair(srm, lrm) as double:
        run = await told(double.pair, method="specreason")
        shared(double)
    asked = [each.purpose for each in run.trace.stretches if each.author is Author.LRM]
    assert asked.count(Purpose.JUDGE) == 3
    assert Purpose.WRITE in asked


async def test_so_do_hedges_and_requests_that_warm_the_cache() -> None:
    unsure = [*words("So very", SURE), *words(" unsure of all this here.\n\n"), *words("c" + END)]
    hiding = Hiding(hedge=True, hedge_tokens=2, warm_seconds=0.01)
    async with scripted_pair(
        [Reply(unsure, pause=0.02)], lambda _: chatter("Better"), hiding=hiding
    ) as double:
        run = await told(double.pair, thresholds=OFFLOADING)
        shared(double)
    asked = {each.purpose for each in run.trace.stretches if each.author is Author.LRM}
    assert asked == {Purpose.HEDGE, Purpose.WARM}


async def test_so_do_attempts_after_a_failure() -> None:
    lrm = [say("One", then="break"), Reply([], status=503), say(" two" + END)]
    async with scripted_pair([], lrm) as double:
        await told(double.pair, method="lrm")
        assert len(double.lrm.sessions) == 3
        assert len(set(double.lrm.sessions)) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_shared"),
    [(None, None, False), ("a", "a", True), ("a", "b", False), ("", "", False)],
)
async def test_runs_share_sessions_if_they_belong_to_one_conversation(
    first: str | None, second: str | None, is_shared: bool
) -> None:
    srm = [chatter("One.\n\n"), say("c" + END)]
    found: list[tuple[str, str]] = []
    for conversation in (first, second):
        async with scripted_pair(srm, [chatter("Sure.\n\n")]) as double:
            await told(double.pair, thresholds=OFFLOADING, conversation=conversation)
            found.append(shared(double))
    assert (found[0] == found[1]) is is_shared


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_session_tells_nothing_but_whether_two_are_the_same(one: str, other: str) -> None:
    first, second = sessions(one), sessions(other)
    assert (first == second) is (one == other)
    for session in (*first.values(), *second.values()):
        assert ID.fullmatch(session)
    assert len({*first.values(), *second.values()}) == (2 if one == other else 4)


async def told_headers(engine: HttpEngine, seen: Sequence[Any]) -> Any:
    """The headers of one request with a session, which is refused."""
    request = Request(Prefix((Message("user", "Why?"),)), Sampling(), 9, session="s1")
    with pytest.raises(EngineError):
        async with engine.send(request):
            pass
    await engine.close()
    return seen[-1]


SENT_IN = dict.fromkeys(MAKERS, "x-session-id") | {"fireworks": "x-session-affinity"}


@pytest.mark.parametrize("name", MAKERS)
async def test_every_kind_of_engine_sends_it(name: str) -> None:
    seen: list[Any] = []

    async def refuse(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({}, status=404)
        if "show" not in request.path:
            seen.append(request.headers)
        return web.json_response({"error": {"message": "no"}}, status=400)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with listening(app) as root:
        place = FoundModel(f"{root}/v1", "m", None, None, Timeouts(), "secret-key")
        for changed, expected in ((None, SENT_IN[name]), ("x-mine", "x-mine"), ("", "")):
            engine = await MAKERS[name](place)
            assert isinstance(engine, HttpEngine)
            if changed is not None:
                engine.session_header = changed
            headers = await told_headers(engine, seen)
            sent = {key.lower() for key, value in headers.items() if value == "s1"}
            assert sent == ({expected} if expected else set())
