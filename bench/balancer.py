"""A balancer in front of several servers of one model, as people run them.

Requests go to the servers in turn. With a ``header``, requests with the same value in it go where
the first of them went, as with consistent hashing while no server comes or goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle

from aiohttp import web

from bench.delay_proxy import upstream_session
from tests.scripted_server import listening


class Balancer:
    """Passes every request on to one of ``replicas``, URLs without a path."""

    def __init__(self, replicas: Sequence[str], header: str | None) -> None:
        self.passed: Counter[str] = Counter()
        self._header = header
        self._turn = cycle(replicas)
        self._places: dict[str, str] = {}

    def place(self, session: str | None) -> str:
        """The replica for a request with this value in the header."""
        if not session:
            return next(self._turn)
        if session not in self._places:
            self._places[session] = next(self._turn)
        return self._places[session]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._pass)
        application.cleanup_ctx.append(self._connected)
        return application

    async def _connected(self, _: web.Application) -> AsyncIterator[None]:
        async with upstream_session() as self._session:
            yield

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        session = request.headers.get(self._header) if self._header else None
        replica = self.place(session)
        self.passed[replica] += 1
        asked = self._session.request(
            request.method,
            replica + request.path_qs,
            data=await request.read(),
            headers={"content-type": request.content_type},
        )
        async with asked as response:
            answer = web.StreamResponse(status=response.status)
            answer.content_type = response.content_type
            with suppress(ConnectionResetError):  # the client has left
                await answer.prepare(request)
                async for data in response.content.iter_any():
                    await answer.write(data)
            return answer


@asynccontextmanager
async def balanced(
    replicas: Sequence[str], header: str | None
) -> AsyncIterator[tuple[str, Balancer]]:
    """The address of a balancer in this process, and the balancer."""
    balancer = Balancer(replicas, header)
    async with listening(balancer.application()) as root:
        yield root, balancer
