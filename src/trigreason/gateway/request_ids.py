"""The ``x-request-id`` of every response, whatever it is."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"

_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class RequestIds:
    """Gives each request an id, in ``request.state.request_id`` and in its response.

    It is the client's own if that has at most 128 characters, all of them letters, digits or
    ``._:/+=@-``; otherwise a random one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(HEADER, "")
        request_id = sent if _SANE.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, identified)


def request_id_of(request: Request) -> str:
    """The id of a request that came through :class:`RequestIds`."""
    request_id: str = request.state.request_id
    return request_id
