"""Routes whose requests have bodies."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from trigreason.gateway.routes.parts import caller, source_of
from trigreason.gateway.service import Service


class KeyFirst(APIRoute):
    """A route whose body is read once the key is known."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            key = await caller(request)
            service: Service = request.app.state.service
            value = await service.bodies.value(request, source_of(request, key))
            return await handle(_Read(request, value))

        return handler


class _Read(Request):
    """A request whose body has been read."""

    def __init__(self, request: Request, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._value = value

    async def body(self) -> bytes:
        return b"{}"  # FastAPI asks only whether there is one

    async def json(self) -> Any:
        return self._value
