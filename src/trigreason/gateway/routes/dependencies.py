"""FastAPI dependencies of the routes: the service and the caller's key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from trigreason.gateway.access import Access
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.service import Service
from trigreason.reasoning import Thresholds


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service  # async, because FastAPI runs others in a thread
    return service


async def caller(request: Request) -> ActiveKey | None:
    """The request's key, looked up once. Raises ApiError if a key is needed and missing."""
    if not hasattr(request.state, "key"):
        access: Access = request.app.state.access
        request.state.key = await access.key_of(request)
    key: ActiveKey | None = request.state.key
    return key


def source_of(request: Request, key: ActiveKey | None) -> str:
    """What places are shared between: the key, or without keys the client's address."""
    if key is not None:
        return key.id
    return request.client.host if request.client else "unknown"


Gateway = Annotated[Service, Depends(_service)]
"""The open service."""

Caller = Annotated[ActiveKey | None, Depends(caller)]
"""The request's key; None if the gateway needs no keys."""


def usable_pairs(key: ActiveKey | None, service: Service) -> dict[str, Thresholds]:
    """The pairs that a caller may use, with their thresholds."""
    pairs = service.catalogue.thresholds.items()
    return {name: thresholds for name, thresholds in pairs if key is None or key.may_use(name)}
