"""The routes about recorded runs: a trace, the latest ones, and what a method would decide."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from trigreason.gateway.account import for_clients
from trigreason.gateway.errors import ApiError, invalid
from trigreason.gateway.naming import ThresholdChanges
from trigreason.gateway.request_bodies import VALUES_PER_TRACE
from trigreason.gateway.routes.dependencies import Caller, Gateway
from trigreason.gateway.routes.key_first import KeyFirst
from trigreason.page import decisions_by
from trigreason.reasoning import Trace, trace_from_json

MOST_LISTED = 100


class WithTrace(KeyFirst):
    """A route whose body holds a recorded run."""

    most_values = VALUES_PER_TRACE


router = APIRouter()
replaying = APIRouter(route_class=WithTrace)


@router.get("/v1/traces")
async def traces(
    service: Gateway, key: Caller, limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 20
) -> dict[str, Any]:
    """The latest runs whose traces are kept, newest first; a key sees only its own."""
    listed = await service.storage.latest_traces(key.id if key else None, limit)
    return {"object": "list", "data": listed}


@router.get("/v1/traces/{trace_id}")
async def trace(trace_id: str, service: Gateway, key: Caller) -> JSONResponse:
    """The trace of a run, if the gateway keeps traces; a key sees only its own."""
    kept = await service.storage.trace(trace_id, key.id if key else None)
    if kept is None:
        advice = (
            "It may have been removed by age."
            if service.settings.traces.keep
            else "Traces are kept where the configuration says so: gateway.traces.keep = true."
        )
        raise ApiError(404, f"There is no such trace. {advice}", code="trace_not_found")
    return JSONResponse(for_clients(kept))


class ReplayRequest(ThresholdChanges):
    """A recorded run, and by what to decide on its steps again.

    The thresholds that it names replace the trace's own.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"trace": {"schema": 2}, "method": "trigreason"}]}
    )

    trace: Annotated[dict[str, Any], Field(description="As solve --trace writes it.")]
    method: Annotated[
        str | None, Field(max_length=40, description="The trace's own if left out.")
    ] = None


@replaying.post("/v1/traces/replay")
async def replay(body: ReplayRequest, key: Caller) -> dict[str, Any]:
    """Let a method decide again on the steps of a recorded run, with no model."""
    return await asyncio.to_thread(_replayed, body)


def _replayed(body: ReplayRequest) -> dict[str, Any]:
    try:
        recorded: Trace = trace_from_json(body.trace)
    except ValueError as error:
        raise invalid(f"trace: {error}", "trace") from error
    method = body.method or recorded.method
    try:
        return decisions_by(recorded, method, body.onto(recorded.thresholds))
    except ValueError as error:
        raise invalid(str(error), "method") from error
    except (AttributeError, TypeError) as error:
        raise invalid(f"trace: this trace is damaged ({error})", "trace") from error
