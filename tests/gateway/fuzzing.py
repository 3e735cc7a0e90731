"""Hooks of Schemathesis: half of what it makes up is turned into what a pair can answer, quickly.

Left alone it asks for models that do not exist, in fields that are refused; the gateway would be
tested no deeper than its first checks.
"""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import schemathesis

from trigreason.gateway.chat.request import REFUSED as NOT_OF_CHAT
from trigreason.gateway.responses.request import REFUSED as NOT_OF_RESPONSES

CHARACTERS = 200
THINKING_TOKENS = 3
TOKENS = 12
"""Of thinking and answer together, so that a run takes milliseconds."""


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    body = case.body
    if not isinstance(body, dict) or "model" not in body:
        return
    if crc32(json.dumps(body, sort_keys=True, default=str).encode()) % 2:
        body = _answerable(body)
    own = body.get("trigreason")
    if own is None or isinstance(own, dict):
        body = body | {"trigreason": (own or {}) | {"thinking_tokens": THINKING_TOKENS}}
    case.body = body  # a new one: Schemathesis goes on with parts of the old one


schemathesis.hook(before_call)


def _answerable(body: dict[str, Any]) -> dict[str, Any]:
    refused = NOT_OF_CHAT.keys() | NOT_OF_RESPONSES.keys() | {"tools", "tool_choice"}
    limit = "max_tokens" if "messages" in body else "max_output_tokens"
    answerable = {limit: TOKENS} | {key: body[key] for key in body if key not in refused}
    answerable["model"] = "bundled"
    for field in ("messages", "input"):
        if isinstance(turns := body.get(field), list) and turns:
            content = f"What is {turns}?"[:CHARACTERS]
            answerable[field] = [{"role": "user", "content": content}]
    return answerable
