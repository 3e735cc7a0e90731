"""Errors in Anthropic's shape, with the statuses that its clients know how to treat.

Its clients repeat a request after 408, 409, 429 and 5xx, and read ``Retry-After``. So a limit that
time lifts keeps such a status, and spent money has one that is not repeated:

    402  billing_error      the USD of the key's day or month are spent (429 in OpenAI's APIs)
    529  overloaded_error   no place, a database or a model that is away, a shutdown (429 and 503)
    429  rate_limit_error   the key's requests or tokens per minute, as in OpenAI's APIs
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from trigreason.gateway.errors import ApiError

OVERLOADED = 529

_KINDS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    OVERLOADED: "overloaded_error",
}


def speaks_anthropic(request: Request) -> bool:
    """Whether a request is for Anthropic's API, or from one of its clients."""
    return request.url.path.startswith("/v1/messages") or "anthropic-version" in request.headers


def anthropic_status(error: ApiError) -> int:
    """The HTTP status of an error for Anthropic's clients."""
    if error.code == "insufficient_quota":
        return 402
    if error.code == "queue_full" or error.status == 503:
        return OVERLOADED
    return error.status


def anthropic_error(error: ApiError, request_id: str | None) -> dict[str, Any]:
    """An error's body; ``request_id`` is None if the request did not become an exchange."""
    status = anthropic_status(error)
    default = "api_error" if status >= 500 else "invalid_request_error"
    fields = {"type": _KINDS.get(status, default), "message": error.message}
    return {"type": "error", "error": fields, "request_id": request_id}
