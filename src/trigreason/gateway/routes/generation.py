"""The routes that a pair answers."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response

from trigreason.gateway.access import Access
from trigreason.gateway.chat.answering import ChatAnswer
from trigreason.gateway.chat.request import ChatRequest
from trigreason.gateway.delivery import Delivery
from trigreason.gateway.documents import (
    CHAT_ANSWERS,
    COUNT_ANSWERS,
    MESSAGES_ANSWERS,
    RESPONSES_ANSWERS,
)
from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.messages.answering import MessagesAnswer
from trigreason.gateway.messages.counting import prompt_length
from trigreason.gateway.messages.request import CountRequest, MessagesRequest
from trigreason.gateway.naming import choice, with_method, with_thresholds
from trigreason.gateway.request_ids import request_id_of
from trigreason.gateway.responses.answering import ResponsesAnswer
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.gateway.responses.state import ResponseState
from trigreason.gateway.routes.dependencies import Caller, Gateway, source_of, usable_pairs
from trigreason.gateway.routes.key_first import KeyFirst
from trigreason.gateway.service import Service

router = APIRouter(route_class=KeyFirst)
_SHOWN = 200


@router.post("/v1/chat/completions", response_class=Response, responses=CHAT_ANSWERS)
async def chat_completions(
    body: ChatRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a conversation, streamed or in one piece."""
    parsed = body.parsed()
    exchange = exchange_of(service, request, key, Api.CHAT, body.model, parsed)
    rendering = ChatAnswer(
        exchange,
        include_usage=body.includes_usage,
        with_events=parsed.options.events,
        reasoning_field=service.settings.reasoning_field if body.shows_reasoning else None,
    )
    return Delivery(service, exchange, parsed, rendering)


@router.post("/v1/responses", response_class=Response, responses=RESPONSES_ANSWERS)
async def responses(
    body: ResponsesRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a conversation with items of reasoning, text and calls, as events or in one piece."""
    state = ResponseState(
        service.recent_items,
        source_of(request, key),
        service.storage.secret,
        service.settings.limits.body_bytes,
    )
    parsed = body.parsed(state)
    exchange = exchange_of(service, request, key, Api.RESPONSES, body.model, parsed)
    return Delivery(service, exchange, parsed, ResponsesAnswer(exchange, body, state))


@router.post("/v1/messages", response_class=Response, responses=MESSAGES_ANSWERS)
async def messages(
    body: MessagesRequest, request: Request, service: Gateway, key: Caller
) -> Response:
    """Answer a conversation in Anthropic's format, as events or in one piece."""
    betas = ("anthropic-beta",) if request.headers.get("anthropic-beta") else ()
    parsed = body.parsed(*betas)
    exchange = exchange_of(service, request, key, Api.MESSAGES, body.model, parsed)
    return Delivery(service, exchange, parsed, MessagesAnswer(exchange, body, parsed.messages))


@router.post("/v1/messages/count_tokens", responses=COUNT_ANSWERS)
async def count_tokens(body: CountRequest, service: Gateway, key: Caller) -> dict[str, Any]:
    """Count the tokens of a conversation as the pair's large model reads it."""
    thresholds = usable_pairs(key, service)
    pair = service.catalogue[choice(body.model, thresholds).pair].pair
    length = await prompt_length(pair, body.conversation, body.offered)
    own = {"prompt_is_estimate": length.is_estimate}
    return {"input_tokens": length.tokens, "trigreason": own}


def exchange_of(
    service: Service,
    request: Request,
    key: ActiveKey | None,
    api: Api,
    model: str,
    parsed: GatewayRequest,
) -> Exchange:
    """The exchange for a request. Raises ApiError if it cannot be served."""
    access: Access = request.app.state.access
    thresholds = usable_pairs(key, service)
    chosen = choice(model, thresholds)
    if parsed.options.method is not None:
        chosen = with_method(chosen, parsed.options.method, "trigreason.method")
    chosen = with_thresholds(chosen, parsed.options, thresholds[chosen.pair], "trigreason")
    if parsed.ignored and service.settings.strict:
        name = parsed.ignored[0][:_SHOWN]
        raise unsupported(name, "it has no effect here, and this gateway ignores nothing")
    field, limits = _MESSAGES[api], service.settings.limits
    if len(parsed.messages) > limits.messages:
        what = f"at most {limits.messages} messages, not {len(parsed.messages)}"
        raise invalid(what, field)
    most = min(limits.choices, limits.running)
    if parsed.choices > most:
        raise invalid(f"at most {most} choices, not {parsed.choices}", "n")
    if not any(message.content.strip() for message in parsed.messages):
        raise invalid("the conversation is empty", field)
    return Exchange(
        id=_PREFIXES[api] + secrets.token_hex(12),
        api=api,
        model=model,
        choice=chosen,
        streamed=parsed.streamed,
        source=source_of(request, key),
        key=key,
        conversation=access.conversation(request, key, parsed.cache_key),
        request_id=request_id_of(request),
        traceparent=request.headers.get("traceparent"),
        runs=[ChoiceRun(index) for index in range(parsed.choices)],
        tells_traces=parsed.options.trace,
        ignored=parsed.ignored,
    )


_MESSAGES = {
    Api.CHAT: "messages",
    Api.RESPONSES: "input",
    Api.MESSAGES: "messages",
    Api.TEXT: "prompt",
}
_PREFIXES = {
    Api.CHAT: "chatcmpl-",
    Api.RESPONSES: "resp_",
    Api.MESSAGES: "msg_",
    Api.TEXT: "cmpl-",
}
