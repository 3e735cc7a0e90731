"""Reads a request's body only after its key was checked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.routes.dependencies import caller, source_of
from trigreason.gateway.service import Service


class KeyFirst(APIRoute):
    """A route whose body is read once the key was checked.

    ``most_values``: the JSON values that it may hold, if that is more than usual.
    """

    most_values = 0

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            key = await caller(request)
            service: Service = request.app.state.service
            value = await service.bodies.value(request, source_of(request, key), self.most_values)
            early = await self.answered_early(request, service, key, value)
            return early or await handle(_ParsedRequest(request, value))

        return handler

    async def answered_early(
        self, request: Request, service: Service, key: ActiveKey | None, value: dict[str, Any]
    ) -> Response | None:
        """A response that needs no further validation of the body; None to go on."""
        return None


class _ParsedRequest(Request):
    """A request whose body has been read and parsed."""

    def __init__(self, request: Request, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._value = value

    async def body(self) -> bytes:
        return b"{}"  # FastAPI only checks that there is one

    async def json(self) -> Any:
        return self._value
