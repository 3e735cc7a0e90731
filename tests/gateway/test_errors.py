"""Errors in OpenAI's shape, and nothing in them that is the owner's affair."""

from __future__ import annotations

import math

import pytest

from trigreason.engines import base
from trigreason.engines.base import EngineError
from trigreason.gateway.errors import ApiError, invalid, of_database, of_engine, of_fault

WHERE = "large at http://10.0.0.7:8001/v1"
WHAT = "it went wrong (Connect call failed ('10.0.0.7', 8001), key sk-secret)"
ADVICE = "See http://10.0.0.7:8001."


def engine_error(kind: type[EngineError], after: float | None = None) -> EngineError:
    return kind(WHAT, WHERE, ADVICE, retry_after=after)


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        (base.EngineUnreachable, 502, "server_error", "engine_failed"),
        (base.EngineFailed, 502, "server_error", "engine_failed"),
        (base.EngineRefused, 502, "server_error", "engine_failed"),
        (base.NotAModel, 502, "server_error", "engine_failed"),
        (base.EngineResting, 503, "server_error", "engine_unavailable"),
        (base.EngineBusy, 503, "server_error", "engine_unavailable"),
        (base.NoLogprobs, 501, "server_error", "no_logprobs"),
    ],
)
def test_a_models_failure(kind: type[EngineError], status: int, type_: str, code: str) -> None:
    error = of_engine(engine_error(kind))
    assert (error.status, error.kind, error.code) == (status, type_, code)
    assert error.cause == kind.__name__
    assert "it went wrong" in error.message
    for secret in ("10.0.0.7", "8001", "sk-secret", "http"):
        assert secret not in str(error.body)


def test_a_conversation_that_is_too_long() -> None:
    what = "the question and the thinking do not fit into the context (1500 of 1024 tokens)"
    error = of_engine(base.ContextTooLong(what, WHERE, ADVICE))
    assert error.body["error"]["type"] == "invalid_request_error"
    assert error.body["error"]["code"] == "context_length_exceeded"
    assert error.body["error"]["param"] == "messages"
    assert "1500 of 1024 tokens" in error.message
    assert "10.0.0.7" not in error.message


def test_when_to_come_back() -> None:
    assert of_engine(engine_error(base.EngineBusy)).headers == {"retry-after": "1"}
    assert of_engine(engine_error(base.EngineResting, 12.2)).headers == {"retry-after": "13"}
    assert of_engine(engine_error(base.EngineFailed, 3.0)).headers == {"retry-after": "3"}
    assert of_engine(engine_error(base.EngineFailed)).headers == {}
    assert ApiError(429, "x", retry_after=0.001).headers == {"retry-after": "1"}
    for odd, told in ((math.inf, "2678400"), (1e300, "2678400"), (math.nan, "1"), (-5.0, "1")):
        assert of_engine(engine_error(base.EngineBusy, odd)).headers == {"retry-after": told}
    assert of_database().headers == {"retry-after": "5"}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, "invalid_request_error"),
        (401, "invalid_api_key", "authentication_error"),
        (403, None, "permission_error"),
        (404, "model_not_found", "invalid_request_error"),
        (413, "body_too_large", "invalid_request_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (429, "insufficient_quota", "insufficient_quota"),
        (500, "internal_error", "server_error"),
        (503, "shutdown", "server_error"),
    ],
)
def test_kinds(status: int, code: str | None, kind: str) -> None:
    error = ApiError(status, "told", code=code)
    assert error.body == {"error": {"message": "told", "type": kind, "param": None, "code": code}}


def test_a_field_at_fault() -> None:
    error = invalid("n: at most 8", "n")
    assert (error.status, error.param, error.cause) == (400, "n", "invalid_request")


def test_a_fault_of_the_gateway_tells_the_client_nothing_of_it() -> None:
    error = of_fault(KeyError("sk-secret"))
    assert (error.status, error.cause) == (500, "KeyError")
    assert "secret" not in str(error.body)
