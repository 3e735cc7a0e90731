"""Hooks of Schemathesis: half of what it makes up is turned into what a pair can answer, quickly.

Left alone it asks for models that do not exist, in fields that are refused; the gateway would be
tested no deeper than its first checks.
"""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import schemathesis

from trigreason.gateway.chat.request import NOTHING_ASKED as NOT_OF_CHAT
from trigreason.gateway.responses.request import NOTHING_ASKED as NOT_OF_RESPONSES

THINKING_TOKENS = 3
TOKENS = 12
"""Of thinking and answer together, so that a run takes milliseconds."""


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    body = case.body
    if not isinstance(body, dict) or "model" not in body:
        return
    if crc32(json.dumps(body, sort_keys=True, default=str).encode()) % 2:
        _make_answerable(body)
    own = body.get("trigreason")
    if own is None or isinstance(own, dict):
        body["trigreason"] = (own or {}) | {"thinking_tokens": THINKING_TOKENS}


schemathesis.hook(before_call)


def _make_answerable(body: dict[str, Any]) -> None:
    body["model"] = "bundled"
    body.setdefault("max_tokens" if "messages" in body else "max_output_tokens", TOKENS)
    for field in NOT_OF_CHAT.keys() | NOT_OF_RESPONSES.keys():
        body.pop(field, None)
    messages = body.get("messages")
    if isinstance(messages, list) and messages:
        messages[:] = [{"role": "user", "content": f"What is {messages}?"}]
    items = body.get("input")
    if isinstance(items, list) and items:
        items[:] = [{"role": "user", "content": f"What is {items}?"}]
