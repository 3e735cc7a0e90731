"""Requests about the gateway itself: its models, records, health and measurements."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from trigreason.gateway.errors import ApiError
from trigreason.gateway.naming import choice
from trigreason.gateway.routes.parts import Caller, Gateway, check_pair
from trigreason.reasoning import METHODS

CREATED = 1_760_000_000
"""The ``created`` of a model in OpenAI's list; pairs have no date."""

router = APIRouter()


@router.get("/v1/models")
async def models(service: Gateway, key: Caller) -> dict[str, Any]:
    """Every pair, and every pair by each method."""
    names = [pair for pair in service.catalogue.thresholds if key is None or key.may_use(pair)]
    every = [name for pair in names for name in (pair, *(f"{pair}:{each}" for each in METHODS))]
    return {"object": "list", "data": [_model(name) for name in every]}


@router.get("/v1/models/{name:path}")
async def model(name: str, service: Gateway, key: Caller) -> dict[str, Any]:
    """One model, under any name that a request may use."""
    found = choice(name, service.catalogue.thresholds)
    check_pair(key, found.pair)
    return _model(name)


@router.get("/v1/traces/{trace_id}")
async def trace(trace_id: str, service: Gateway, key: Caller) -> JSONResponse:
    """The whole record of a run, where the gateway keeps traces; a key sees its own alone."""
    kept = await service.storage.trace(trace_id, key.id if key else None)
    if kept is None:
        advice = (
            "It may have been removed by age."
            if service.settings.traces.keep
            else "Traces are kept where the configuration says so: gateway.traces.keep = true."
        )
        raise ApiError(404, f"There is no such trace. {advice}", code="trace_not_found")
    return JSONResponse(kept)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(service: Gateway) -> JSONResponse:
    """Whether every pair's models answer at this moment; 503 where one does not."""
    problems = await service.catalogue.unready()
    pairs = {name: problem or "ready" for name, problem in problems.items()}
    is_ready = not any(problems.values())
    told = {"status": "ready" if is_ready else "not ready", "pairs": pairs}
    return JSONResponse(told, 200 if is_ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics(service: Gateway) -> Response:
    """Measurements in Prometheus's format."""
    page, kind = service.telemetry.metrics_page()
    return Response(page, headers={"content-type": kind})


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "trigreason"}
