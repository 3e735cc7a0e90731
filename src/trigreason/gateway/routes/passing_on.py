"""The routes that may be passed on to an engine of the configuration."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trigreason.gateway.access import Access
from trigreason.gateway.delivery import Delivery
from trigreason.gateway.documents import PASSED_ANSWERS, TEXT_ANSWERS
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange, ModelChoice
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.naming import MAX_NAME
from trigreason.gateway.passed import Route
from trigreason.gateway.passing import METHOD, Passing
from trigreason.gateway.request_ids import request_id_of
from trigreason.gateway.routes.dependencies import Caller, Gateway, source_of
from trigreason.gateway.routes.generation import exchange_of
from trigreason.gateway.routes.key_first import KeyFirst
from trigreason.gateway.service import Service
from trigreason.gateway.text_completion import TextAnswer, TextRequest

_ROUTES: dict[str, tuple[Route, Api]] = {
    "/v1/completions": ("completions", Api.TEXT),
    "/v1/embeddings": ("embeddings", Api.EMBEDDINGS),
    "/v1/rerank": ("rerank", Api.RERANK),
}


class PassedFirst(KeyFirst):
    """A route whose request is passed on if its ``model`` is the name of an engine for it."""

    async def answered_early(
        self, request: Request, service: Service, key: ActiveKey | None, value: dict[str, Any]
    ) -> Response | None:
        route, api = _ROUTES[self.path]
        name = value.get("model")
        engine = service.passed.of(route).get(name) if isinstance(name, str) else None
        if engine is None or (key is not None and not key.may_use(str(name))):
            return None
        access: Access = request.app.state.access
        cache_key = value.pop("prompt_cache_key", None)
        exchange = Exchange(
            id=f"{route}-{secrets.token_hex(12)}",
            api=api,
            model=str(name),
            choice=ModelChoice(str(name), METHOD),
            streamed=api is Api.TEXT and value.get("stream") is True,
            source=source_of(request, key),
            key=key,
            conversation=access.conversation(
                request, key, cache_key if isinstance(cache_key, str) else None
            ),
            request_id=request_id_of(request),
            traceparent=request.headers.get("traceparent"),
            runs=[ChoiceRun()],
        )
        return Passing(service, exchange, engine, route, value)


router = APIRouter(route_class=PassedFirst)


class PassedRequest(BaseModel):
    """A request that is passed on; the other fields are those of the engine's server."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


@router.post("/v1/completions", response_class=Response, responses=TEXT_ANSWERS)
async def completions(
    body: TextRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a prompt as a user's message, or pass it on to an engine, streamed or in one piece."""
    parsed = body.parsed()
    exchange = exchange_of(service, request, key, Api.TEXT, body.model, parsed)
    rendering = TextAnswer(
        exchange, include_usage=body.includes_usage, with_events=parsed.options.events
    )
    return Delivery(service, exchange, parsed, rendering)


@router.post("/v1/embeddings", response_class=Response, responses=PASSED_ANSWERS)
async def embeddings(body: PassedRequest, service: Gateway, key: Caller) -> Response:
    """Pass a request for embeddings on to an engine."""
    raise _no_engine(service, key, "embeddings", body.model)


@router.post("/v1/rerank", response_class=Response, responses=PASSED_ANSWERS)
async def rerank(body: PassedRequest, service: Gateway, key: Caller) -> Response:
    """Pass documents on to an engine that ranks them by a query."""
    raise _no_engine(service, key, "rerank", body.model)


def _no_engine(service: Service, key: ActiveKey | None, route: Route, model: str) -> ApiError:
    names = [name for name in service.passed.of(route) if key is None or key.may_use(name)]
    advice = (
        f"There are: {', '.join(names)}."
        if names
        else f"No engine is configured for this route; gateway.passed.{route} names them."
    )
    what = f"The model {model[:80]!r} does not exist on /v1/{route}. {advice}"
    return ApiError(404, what, param="model", code="model_not_found")
