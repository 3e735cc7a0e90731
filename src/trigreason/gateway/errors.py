"""Errors in OpenAI's shape, which every client library knows how to read."""

from __future__ import annotations

import math
from typing import Any

from trigreason.engines.base import (
    AnswerUnfit,
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineResting,
    NoLogprobs,
    NoReward,
    PromptRefused,
)

LONGEST_WAIT = 31 * 86_400.0
"""The largest Retry-After (seconds): the time until a monthly budget is renewed."""


class ApiError(Exception):
    """An error response. ``param`` names the field at fault, ``retry_after`` is in seconds.

    ``cause`` names what failed, for records; the client does not see it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after
        self.cause = cause or code or "invalid_request"

    @property
    def kind(self) -> str:
        """OpenAI's ``type`` for this status."""
        match self.status:
            case 401:
                return "authentication_error"
            case 403:
                return "permission_error"
            case 429 if self.code == "insufficient_quota":
                return "insufficient_quota"
            case 429:
                return "rate_limit_error"
            case status if status >= 500:
                return "server_error"
            case _:
                return "invalid_request_error"

    @property
    def body(self) -> dict[str, Any]:
        fields = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": fields}

    @property
    def headers(self) -> dict[str, str]:
        if self.retry_after is None:
            return {}
        return {"retry-after": str(math.ceil(min(LONGEST_WAIT, max(1.0, self.retry_after))))}


def invalid(message: str, param: str, code: str | None = None) -> ApiError:
    """The error for a field whose value is invalid."""
    return ApiError(400, message, param=param, code=code)


def unsupported(param: str, what: str) -> ApiError:
    """The error for a field that asks for what a pair cannot do."""
    return invalid(f"{param}: {what}", param, "unsupported_parameter")


def in_short(what: str) -> str:
    """A model's failure without the server's message, which may hold the server's address."""
    return what.partition(" (")[0]


def of_fault(fault: Exception) -> ApiError:
    """The error for a bug of the gateway; the log has the details."""
    return ApiError(
        500,
        "The gateway failed; its log says how.",
        code="internal_error",
        cause=type(fault).__name__,
    )


def of_database() -> ApiError:
    """The error for a database outage: keys and limits cannot be looked up."""
    what = "The gateway's database does not answer. Try again later."
    return ApiError(503, what, code="database_away", retry_after=5.0)


def of_engine(error: EngineError) -> ApiError:
    """The error for a model's failure, without the address of the model's server."""
    cause, what = type(error).__name__, in_short(error.what)
    after = error.retry_after
    if isinstance(error, ContextTooLong):
        return ApiError(
            400,
            f"The conversation does not fit into the model's context: {error.what}.",
            param="messages",
            code="context_length_exceeded",
            cause=cause,
        )
    if isinstance(error, PromptRefused):
        message = f"This pair does not take the conversation: {error.what}. {error.advice}"
        return ApiError(400, message, param="messages", code="conversation_refused", cause=cause)
    if isinstance(error, AnswerUnfit):
        message = f"A model of this pair failed: {what}. {error.advice}"
        return ApiError(502, message, code="schema_not_met", cause=cause)
    if isinstance(error, EngineBusy | EngineResting):
        return ApiError(
            503,
            f"A model of this pair is busy or resting: {what}. Try again later.",
            code="engine_unavailable",
            retry_after=after or 1.0,
            cause=cause,
        )
    if isinstance(error, NoLogprobs):
        return ApiError(
            501,
            f"This pair cannot use the cognitive offload: {what}.",
            code="no_logprobs",
            cause=cause,
        )
    if isinstance(error, NoReward):
        return ApiError(501, f"This pair cannot rate steps: {what}.", code="no_scorer", cause=cause)
    return ApiError(
        502,
        f"A model of this pair failed: {what}.",
        code="engine_failed",
        retry_after=after,
        cause=cause,
    )
