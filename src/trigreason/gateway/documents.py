"""The responses in the gateway's OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class ErrorObject(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """OpenAI's shape of an error."""

    error: ErrorObject


class MessagesErrorObject(BaseModel):
    type: str
    message: str


class MessagesErrorBody(BaseModel):
    """Anthropic's shape of an error."""

    type: Literal["error"]
    error: MessagesErrorObject
    request_id: str | None


_JSON: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
_STREAM: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}

ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The request cannot be served as it is."},
    401: {"model": ErrorBody, "description": "A key is needed, or this one is not in force."},
    403: {"model": ErrorBody, "description": "The key may not do this."},
    404: {"model": ErrorBody, "description": "There is no such model, item, trace or page."},
    413: {"model": ErrorBody, "description": "The body is too large."},
    422: {"model": ErrorBody, "description": "Never sent; such errors are 400."},
    429: {"model": ErrorBody, "description": "A limit is reached; Retry-After says until when."},
    502: {"model": ErrorBody, "description": "A model failed."},
    503: {"model": ErrorBody, "description": "The models cannot be asked at this moment."},
}

CHAT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A chat completion, or its chunks as server-sent events.",
        "content": _JSON | _STREAM,
    }
}

TEXT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A text completion, or its chunks as server-sent events.",
        "content": _JSON | _STREAM,
    }
}

PASSED_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The response of the engine's server.", "content": _JSON}
}

RESPONSES_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A response, or its events as server-sent events.",
        "content": _JSON | _STREAM,
    }
}

_MESSAGES_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": MessagesErrorBody, "description": description}
    for status, description in {
        **{status: str(answer["description"]) for status, answer in ANSWERS.items()},
        402: "The USD of the key's day or month are spent.",
        529: "There is no place, or the models cannot be asked at this moment.",
    }.items()
    if status != 503
}

MESSAGES_ANSWERS: dict[int | str, dict[str, Any]] = {
    **_MESSAGES_ERRORS,
    200: {
        "description": "A message, or its events as server-sent events.",
        "content": _JSON | _STREAM,
    },
}

COUNT_ANSWERS: dict[int | str, dict[str, Any]] = {
    **_MESSAGES_ERRORS,
    200: {"description": "The tokens of the conversation.", "content": _JSON},
}
