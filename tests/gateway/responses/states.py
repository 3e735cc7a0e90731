"""What requests of tests get of earlier responses, and items that they send."""

from __future__ import annotations

from typing import Any

from trigreason.gateway.responses.recent_items import RecentItems
from trigreason.gateway.responses.state import ResponseState

SECRET = b"a secret of this gateway"


def state(
    recent: RecentItems | None = None, owner: str = "ann", most: int = 10_000
) -> ResponseState:
    return ResponseState(recent or RecentItems(), owner, SECRET, most)


TIME: dict[str, Any] = {
    "type": "function",
    "name": "time",
    "description": "The time in a zone.",
    "parameters": {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}},
    "strict": False,
}
CALL: dict[str, Any] = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "time",
    "arguments": '{"zone": "UTC"}',
    "status": "completed",
}
OUTPUT: dict[str, Any] = {"type": "function_call_output", "call_id": "call_1", "output": "noon"}
