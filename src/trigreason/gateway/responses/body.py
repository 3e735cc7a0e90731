"""OpenAI's Response object for an exchange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trigreason.gateway.account import account, chat_usage
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Exchange
from trigreason.gateway.responses.items import OutputItem, Status
from trigreason.gateway.responses.offered import repeated
from trigreason.gateway.responses.request import ResponsesRequest


def begun(exchange: Exchange, request: ResponsesRequest) -> dict[str, Any]:
    """The response at its beginning: the request's fields and no output.

    ``store`` and ``truncation`` are what the gateway does, whatever the request said.
    """
    return {
        "id": exchange.id,
        "object": "response",
        "created_at": int(exchange.created),
        "completed_at": None,
        "status": Status.IN_PROGRESS,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": request.max_tool_calls,
        "metadata": request.metadata or {},
        "model": exchange.model,
        "output": [],
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": None,
        "prompt_cache_key": request.prompt_cache_key,
        "reasoning": {
            "effort": request.reasoning.effort if request.reasoning else None,
            "summary": None,
        },
        "safety_identifier": request.safety_identifier,
        "service_tier": "default",
        "store": False,
        "temperature": request.temperature,
        "text": {"format": _format(request)},
        "tool_choice": request.tool_choice or "auto",
        "tools": repeated(request.tools or ()),
        "top_logprobs": 0,
        "top_p": request.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": request.user,
    }


def _format(request: ResponsesRequest) -> dict[str, Any]:
    given = request.text.format if request.text else None
    return given.body if given else {"type": "text"}


def ended(
    exchange: Exchange, request: ResponsesRequest, items: Sequence[OutputItem]
) -> dict[str, Any]:
    """The response once its run is over; only its last item can be incomplete."""
    status = status_of(exchange)
    fields: dict[str, Any] = {"status": status, "trigreason": account(exchange)}
    if status is Status.COMPLETED:
        fields["completed_at"] = int(exchange.created + exchange.seconds)
    else:
        fields["incomplete_details"] = {"reason": "max_output_tokens"}
    return begun(exchange, request) | _written(exchange, items, status) | fields


def failed(
    exchange: Exchange, request: ResponsesRequest, items: Sequence[OutputItem], error: ApiError
) -> dict[str, Any]:
    """The response that an error ended, with the output so far.

    OpenAI has few codes; the gateway's code is in the ``trigreason`` object.
    """
    match error.status:
        case 429:
            code = "rate_limit_exceeded"
        case status if status < 500:
            code = "invalid_prompt"
        case _:
            code = "server_error"
    fields = {
        "status": Status.FAILED,
        "error": {"code": code, "message": error.message},
        "trigreason": account(exchange) | {"error": error.code},
    }
    return begun(exchange, request) | _written(exchange, items, Status.INCOMPLETE) | fields


def status_of(exchange: Exchange) -> Status:
    """The final status of a run that is over."""
    cut = exchange.runs[0].finish_reason == "length"
    return Status.INCOMPLETE if cut else Status.COMPLETED


def _written(exchange: Exchange, items: Sequence[OutputItem], last: Status) -> dict[str, Any]:
    statuses = [Status.COMPLETED] * (len(items) - 1) + [last]
    output = [item.body(status) for item, status in zip(items, statuses, strict=False)]
    return {"output": output, "usage": _usage(exchange)}


def _usage(exchange: Exchange) -> dict[str, Any]:
    """:func:`chat_usage` under the field names of this API."""
    usage = chat_usage(exchange)
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": usage["completion_tokens_details"],
        "total_tokens": usage["total_tokens"],
    }
