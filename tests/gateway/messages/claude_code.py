"""A request as Claude Code sends it, put together from what is published about its format."""

from __future__ import annotations

from typing import Any

EPHEMERAL = {"type": "ephemeral"}
REMINDER = "<system-reminder>\nToday's date is 2026-03-01.\n</system-reminder>"

HEADERS = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,context-management-2025-06-27,effort-2025-11-24",
    "x-app": "cli",
    "user-agent": "claude-cli/2.1.69 (external, cli)",
}

BODY: dict[str, Any] = {
    "model": "bundled",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": REMINDER},
                {"type": "text", "text": "What is in notes.txt?", "cache_control": EPHEMERAL},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I should read it.", "signature": "msg_1"},
                {"type": "text", "text": "I read it."},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "Read",
                    "input": {"file_path": "notes.txt"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": "1\tBuy milk.",
                    "cache_control": EPHEMERAL,
                },
                {"type": "text", "text": REMINDER},
            ],
        },
    ],
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.69; cch=0a1b2;"},
        {
            "type": "text",
            "text": "You are Claude Code, Anthropic's official CLI for Claude.",
            "cache_control": EPHEMERAL,
        },
        {"type": "text", "text": "Be concise.", "cache_control": EPHEMERAL},
    ],
    "tools": [
        {
            "name": "Read",
            "description": "Reads a file.",
            "input_schema": {
                "type": "object",
                "properties": {"file_path": {"type": "string"}},
                "required": ["file_path"],
                "additionalProperties": False,
            },
        }
    ],
    "metadata": {"user_id": "user_0a1b_account__session_0a1b"},
    "max_tokens": 32000,
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "medium"},
    "stream": True,
}
