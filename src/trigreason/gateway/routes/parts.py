"""What every route takes from its request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from trigreason.gateway.access import Access
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.service import Service
from trigreason.reasoning import Thresholds


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service  # async: FastAPI gives others to a thread
    return service


async def caller(request: Request) -> ActiveKey | None:
    """The key that a request shows, looked up once. Raises ApiError where one is needed."""
    if not hasattr(request.state, "key"):
        access: Access = request.app.state.access
        request.state.key = await access.key_of(request)
    key: ActiveKey | None = request.state.key
    return key


def source_of(request: Request, key: ActiveKey | None) -> str:
    """Who others are protected from: a key, or an address where there are no keys."""
    if key is not None:
        return key.id
    return request.client.host if request.client else "unknown"


Gateway = Annotated[Service, Depends(_service)]
"""The open service."""

Caller = Annotated[ActiveKey | None, Depends(caller)]
"""The key that a request shows; None where none is needed."""


def known_to(key: ActiveKey | None, service: Service) -> dict[str, Thresholds]:
    """The pairs that there are for a caller, with their thresholds; of others it learns nothing."""
    every = service.catalogue.thresholds
    return {name: own for name, own in every.items() if key is None or key.may_use(name)}
