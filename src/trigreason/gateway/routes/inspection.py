"""The routes about the gateway itself: its models, pairs, health and metrics."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from trigreason.gateway.access import Access
from trigreason.gateway.errors import ApiError
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.messages.failing import speaks_anthropic
from trigreason.gateway.naming import choice, usable_methods
from trigreason.gateway.reference import HEADERS, reference_page
from trigreason.gateway.routes.dependencies import Caller, Gateway, caller, usable_pairs
from trigreason.gateway.service import Service
from trigreason.gateway.storage import DatabaseAway
from trigreason.reasoning import Thresholds, methods

CREATED = 1_760_000_000
"""The time of a model's creation in lists; pairs have no date."""

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request, service: Gateway, key: Caller) -> dict[str, Any]:
    """Every pair, alone and with each method that it can run, and engines that are passed on to."""
    every = [
        name
        for pair, thresholds in usable_pairs(key, service).items()
        for name in (pair, *(f"{pair}:{method}" for method in _methods(pair, thresholds, service)))
    ]
    every += _passed(service, key)
    data = [_model(name, request) for name in every]
    if speaks_anthropic(request):
        ends = {"first_id": every[0] if every else None, "last_id": every[-1] if every else None}
        return {"data": data, "has_more": False} | ends
    return {"object": "list", "data": data}


@router.get("/v1/pairs")
async def pairs(service: Gateway, key: Caller) -> dict[str, Any]:
    """Every pair with its thresholds and the methods that it can run, and what each decides by."""
    entries = methods()
    data = [
        {
            "id": pair,
            "thresholds": thresholds.to_json(),
            "methods": [
                {
                    "id": name,
                    "title": entries[name].title,
                    "thresholds": sorted(entries[name].thresholds),
                }
                for name in _methods(pair, thresholds, service)
            ],
        }
        for pair, thresholds in usable_pairs(key, service).items()
    ]
    keeps = service.settings.traces.keep
    return {"object": "list", "keeps_traces": keeps, "data": data}


def _methods(pair: str, thresholds: Thresholds, service: Service) -> list[str]:
    has_scorer = service.catalogue[pair].plan.scorer is not None
    return usable_methods(thresholds, has_scorer=has_scorer)


@router.get("/v1/models/{name:path}")
async def model(name: str, request: Request, service: Gateway, key: Caller) -> dict[str, Any]:
    """One model, by any name that a request may use."""
    if name not in _passed(service, key):
        choice(name, usable_pairs(key, service))
    return _model(name, request)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request, service: Gateway) -> JSONResponse:
    """200 if every pair's models answer and keys can be looked up, otherwise 503.

    The response names only the pairs that the caller may use.
    """
    problems = await service.catalogue.unready()
    access: Access = request.app.state.access
    is_ready = not any(problems.values()) and await access.can_let_in()
    body: dict[str, Any] = {"status": "ready" if is_ready else "not ready"}
    with suppress(ApiError, DatabaseAway):
        usable = usable_pairs(await caller(request), service)
        body["pairs"] = {name: problems[name] or "ready" for name in usable}
    return JSONResponse(body, 200 if is_ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics(service: Gateway) -> Response:
    """Metrics in Prometheus's format."""
    page, kind = service.telemetry.metrics_page()
    return Response(page, headers={"content-type": kind})


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The OpenAPI document as a page."""
    base = str(request.base_url).rstrip("/")
    return Response(reference_page(request.app.openapi(), base), headers=HEADERS)


def _passed(service: Service, key: ActiveKey | None) -> list[str]:
    """The engines that a caller's requests may be passed on to."""
    return [name for name in service.passed if key is None or key.may_use(name)]


def _model(name: str, request: Request) -> dict[str, Any]:
    if speaks_anthropic(request):
        created = datetime.fromtimestamp(CREATED, UTC).isoformat()
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": created,
            "lifecycle": "active",
        }
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "trigreason"}
