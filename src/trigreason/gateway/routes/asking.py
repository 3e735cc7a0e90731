"""Requests that a pair answers."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request, Response

from trigreason.gateway.asked import GatewayRequest
from trigreason.gateway.chat.answering import ChatAnswer
from trigreason.gateway.chat.request import ChatRequest
from trigreason.gateway.delivery import Delivery
from trigreason.gateway.documents import CHAT_ANSWERS, RESPONSES_ANSWERS
from trigreason.gateway.errors import invalid
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.naming import choice, with_method, with_thresholds
from trigreason.gateway.responses.answering import ResponsesAnswer
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.gateway.routes.parts import Caller, Gateway, known_to, source_of
from trigreason.gateway.routes.reading import KeyFirst
from trigreason.gateway.service import Service

router = APIRouter(route_class=KeyFirst)


@router.post("/v1/chat/completions", response_class=Response, responses=CHAT_ANSWERS)
async def chat_completions(
    body: ChatRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a conversation, streamed or in one piece."""
    asked = body.asked()
    exchange = _exchange(service, request, key, Api.CHAT, body.model, asked)
    rendering = ChatAnswer(
        exchange,
        include_usage=body.includes_usage,
        with_events=asked.options.events,
        reasoning_field=service.settings.reasoning_field,
    )
    return Delivery(service, exchange, asked, rendering)


@router.post("/v1/responses", response_class=Response, responses=RESPONSES_ANSWERS)
async def responses(
    body: ResponsesRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a conversation with items of reasoning and text, as events or in one piece."""
    asked = body.asked()
    exchange = _exchange(service, request, key, Api.RESPONSES, body.model, asked)
    return Delivery(service, exchange, asked, ResponsesAnswer(exchange, body))


def _exchange(
    service: Service,
    request: Request,
    key: ActiveKey | None,
    api: Api,
    model: str,
    asked: GatewayRequest,
) -> Exchange:
    """A request that can be served. Raises ApiError for one that cannot."""
    thresholds = known_to(key, service)
    found = choice(model, thresholds)
    if asked.options.method is not None:
        found = with_method(found, asked.options.method, "trigreason.method")
    found = with_thresholds(found, asked.options, thresholds[found.pair], "trigreason")
    messages, limits = _MESSAGES[api], service.settings.limits
    if len(asked.messages) > limits.messages:
        told = f"at most {limits.messages} messages, not {len(asked.messages)}"
        raise invalid(told, messages)
    most = min(limits.choices, limits.running)
    if asked.choices > most:
        raise invalid(f"at most {most} choices, not {asked.choices}", "n")
    if not any(message.content.strip() for message in asked.messages):
        raise invalid("the conversation is empty", messages)
    return Exchange(
        id=_PREFIXES[api] + secrets.token_hex(12),
        api=api,
        model=model,
        choice=found,
        streamed=asked.streamed,
        source=source_of(request, key),
        key=key,
        traceparent=request.headers.get("traceparent"),
        runs=[ChoiceRun(index) for index in range(asked.choices)],
    )


_MESSAGES = {Api.CHAT: "messages", Api.RESPONSES: "input"}
_PREFIXES = {Api.CHAT: "chatcmpl-", Api.RESPONSES: "resp_"}
