"""Requests that are refused before they become exchanges: errors and oversized bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trigreason.gateway.access import shown_id
from trigreason.gateway.errors import ApiError, invalid, of_database, of_fault
from trigreason.gateway.messages.failing import (
    anthropic_error,
    anthropic_status,
    speaks_anthropic,
)
from trigreason.gateway.request_ids import request_id_of
from trigreason.gateway.service import Service
from trigreason.gateway.storage import DatabaseAway

_SHOWN = 200


def answer_errors(app: FastAPI, service: Service) -> None:
    """Answer every error in the shape that its client can read: OpenAI's or Anthropic's."""

    def answered(request: Request, error: ApiError) -> JSONResponse:
        address = request.client.host if request.client else "unknown"
        service.telemetry.refused(error.cause, address, shown_id(request), request_id_of(request))
        if speaks_anthropic(request):
            body, status = anthropic_error(error, None), anthropic_status(error)
            return JSONResponse(body, status, error.headers)
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(ApiError)
    async def _api(request: Request, error: ApiError) -> JSONResponse:
        return answered(request, error)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return answered(request, _of_validation(error.errors()[0], error.body))

    @app.exception_handler(DatabaseAway)
    async def _away(request: Request, __: DatabaseAway) -> JSONResponse:
        return answered(request, of_database())

    @app.exception_handler(Exception)
    async def _fault(request: Request, fault: Exception) -> JSONResponse:
        answer = answered(request, of_fault(fault))
        answer.headers["connection"] = "close"  # uvicorn closes the connection after a fault
        return answer

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        refusal = ApiError(error.status_code, str(error.detail))
        if error.status_code == 404:
            refusal = ApiError(
                404, f"There is no {request.url.path[:_SHOWN]} here.", code="unknown_url"
            )
        elif error.status_code == 413:
            refusal = ApiError(413, str(error.detail), code="body_too_large")
        elif error.status_code == 400:
            refusal = invalid("The body is no JSON.", "body")
        answer = answered(request, refusal)
        answer.headers.update(error.headers or {})
        return answer


def _of_validation(error: dict[str, Any], body: Any) -> ApiError:
    """The first validation error of a body, with the name of its field."""
    path = error["loc"][1:]
    if error["type"] in ("json_invalid", "json_type") or not path:
        return invalid("The body must be a JSON object sent as application/json.", "body")
    field = _field(path, body, is_missing=error["type"] == "missing")[:_SHOWN]
    if error["type"] == "extra_forbidden":
        return invalid(f"Unrecognized request argument supplied: {field}", field, "unknown_field")
    if error["type"] == "missing":
        return invalid(f"{field} is missing", field)
    return invalid(f"{field}: {error['msg']}", field)


def _field(path: Sequence[int | str], value: Any, *, is_missing: bool) -> str:
    """The name of the field at a path, without the union members that pydantic adds to it."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
            value = value[part]
        elif isinstance(value, dict) and (part in value or is_missing):
            name += f".{_printable(part)}" if name else _printable(part)
            value = value.get(part)
        else:
            break
    return name


def _printable(key: str) -> str:
    return key.encode(errors="backslashreplace").decode()


def limit_bodies(app: FastAPI, largest: int) -> None:
    """Refuse bodies of more than ``largest`` bytes, by Content-Length or once they exceed it."""
    app.add_middleware(_BodyLimit, largest=largest)


class _BodyLimit:
    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        is_too_large = announced.isdigit() and int(announced) > self._largest
        received = 0

        async def counted() -> Message:
            nonlocal received
            if not is_too_large:
                message = await receive()
                received += len(message.get("body", b""))
                if received <= self._largest:
                    return message
            raise HTTPException(413, f"The body is larger than {self._largest:,} bytes.")

        await self._app(scope, counted, send)
