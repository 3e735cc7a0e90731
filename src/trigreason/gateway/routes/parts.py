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


async def _caller(request: Request) -> Key | None:
    access: Access = request.app.state.access
    return await access.key_of(request)


Gateway = Annotated[Service, Depends(_service)]
"""The open service."""

Caller = Annotated[Key | None, Depends(_caller)]
"""The key that a request shows; None where none is needed."""


def check_pair(key: Key | None, pair: str) -> None:
    """Raise ApiError (403) unless the key may use the pair."""
    if key is not None and not key.may_use(pair):
        raise ApiError(403, f"This key may not use the pair {pair!r}.", param="model")
