"""What every route takes from its request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from trigreason.gateway.access import Access
from trigreason.gateway.errors import ApiError
from trigreason.gateway.keys import Key
from trigreason.gateway.service import Service


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service  # async: FastAPI gives others to a thread
    return service


async def caller(request: Request) -> Key | None:
    """The key that a request shows, looked up once. Raises ApiError where one is needed."""
    if not hasattr(request.state, "key"):
        access: Access = request.app.state.access
        request.state.key = await access.key_of(request)
    key: Key | None = request.state.key
    return key


def source_of(request: Request, key: Key | None) -> str:
    """Who others are protected from: a key, or an address where there are no keys."""
    if key is not None:
        return key.id
    return request.client.host if request.client else "unknown"


Gateway = Annotated[Service, Depends(_service)]
"""The open service."""

Caller = Annotated[Key | None, Depends(caller)]
"""The key that a request shows; None where none is needed."""


def check_pair(key: Key | None, pair: str) -> None:
    """Raise ApiError (403) unless the key may use the pair."""
    if key is not None and not key.may_use(pair):
        raise ApiError(403, f"This key may not use the pair {pair!r}.", param="model")
