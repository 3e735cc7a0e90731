"""Fields without effect: ignored and told, or refused where the configuration is strict.

The bodies of clients are put together from their public sources and documentation.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import CHAT, Client, Told, asked_gateway
from tests.gateway.messages.claude_code import BODY as CLAUDE_CODE
from tests.gateway.serving import QUESTION

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = [{"role": "user", "content": QUESTION}]
LIMIT = 12
RESPONSES, TEXT, MESSAGES = "/v1/responses", "/v1/completions", "/v1/messages"

CLINE: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You are Cline, a software engineer."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {
            "role": "assistant",
            "content": "I look.",
            "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "index": 0}],
        },
        {"role": "user", "content": [{"type": "text", "text": "Go on."}]},
    ],
    "temperature": 0,
    "max_tokens": -1,
    "stream": True,
    "stream_options": {"include_usage": True},
}
"""Through its OpenAI-compatible provider; ``max_tokens`` -1 is its default for unknown models."""

CLINE_OPENROUTER = CLINE | {
    "transforms": ["middle-out"],
    "include_reasoning": True,
    "reasoning": {"max_tokens": 2048},
    "provider": {"order": ["Groq"], "allow_fallbacks": False},
}

CACHED = {"cache_control": {"type": "ephemeral"}}
AIDER: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "You edit code."} | CACHED]},
        {"role": "user", "content": "These are the files."},
        {"role": "assistant", "content": "Ok."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION} | CACHED]},
    ],
    "temperature": 0,
    "stream": True,
    "reasoning_effort": "low",
}
"""What its LiteLLM sends to a model ``openai/...``: not ``thinking``, which is dropped there."""

OPEN_WEBUI: dict[str, Any] = {
    "stream": True,
    "messages": [{"role": "system", "content": "Be brief."}, *ASKED],
    "stream_options": {"include_usage": True},
    "temperature": 0.8,
    "top_p": 0.9,
    "min_p": 0.05,
    "max_tokens": 128,
    "frequency_penalty": 1.1,
    "presence_penalty": 0.0,
    "reasoning_effort": "none",
    "seed": 0,
    "stop": ["</end>"],
    "logit_bias": {"5432": -100},
    "top_k": 40,
    "repeat_penalty": 1.1,
    "mirostat": 0,
}
"""With every parameter of a chat that is set; it keeps the ids of chats to itself, and sends the
``user`` as an object to its own pipelines alone."""

LIBRECHAT: dict[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "user": "65f0a1b2c3",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [{"role": "user", "content": QUESTION}],
}

CODEX: dict[str, Any] = {
    "instructions": "You are Codex.",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": QUESTION}],
        },
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": None},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "So."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]},
    ],
    "tools": [{"type": "web_search", "external_web_access": False}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0199a213",
    "text": {"verbosity": "low"},
    "client_metadata": {"x-codex-installation-id": "i"},
}

VLLM: dict[str, Any] = {
    "messages": ASKED,
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    "chat_template_kwargs": {"enable_thinking": True},
    "thinking_token_budget": 100,
    "top_k": -1,
    "min_p": 0,
    "repetition_penalty": 1.0,
    "cache_prompt": True,
}

UNARMED = {name: value for name, value in CLAUDE_CODE.items() if name != "tools"}
"""The bundled pair's template offers no tools."""

BODIES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("Cline", CHAT, CLINE, None),
    ("Cline with OpenRouter", CHAT, CLINE_OPENROUTER, "transforms, include_reasoning, provider"),
    ("aider", CHAT, AIDER, None),
    ("Open WebUI", CHAT, OPEN_WEBUI, "frequency_penalty, logit_bias, repeat_penalty"),
    ("LibreChat", CHAT, LIBRECHAT, None),
    ("Codex", RESPONSES, CODEX, "tools.web_search, client_metadata, text.verbosity"),
    (
        "a client of vLLM",
        CHAT,
        VLLM,
        "chat_template_kwargs, repetition_penalty, stream_options.continuous_usage_stats",
    ),
    ("logprobs", TEXT, {"prompt": QUESTION, "logprobs": 2, "best_of": 1}, "logprobs"),
    ("Claude Code", MESSAGES, UNARMED, "context_management"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lenient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path_factory.mktemp("lenient")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    toml = "[gateway]\nstrict = true\n"
    async with asked_gateway(tmp_path_factory.mktemp("strict"), toml) as client:
        yield client


async def told(client: Client, path: str, body: dict[str, Any]) -> Told:
    """The answer, which a small budget keeps short."""
    short = {"model": "bundled", "trigreason": {"thinking_tokens": LIMIT}}
    return await client.send("POST", path, json=body | short)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "ignored"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
async def test_bodies_of_clients(
    lenient: Client, strict: Client, path: str, body: dict[str, Any], ignored: str | None
) -> None:
    answer = await told(lenient, path, body)
    assert answer.status == 200, answer.text
    assert answer.headers.get("x-trigreason-ignored") == ignored
    refused = await told(strict, path, body)
    if ignored is None:
        assert refused.status == 200
        return
    first = ignored.partition(",")[0]
    assert refused.status == 400
    assert first in refused.body["error"]["message"]
    if path != MESSAGES:
        assert refused.error["param"] == first
        assert refused.error["code"] == "unsupported_parameter"
    needed = {name: value for name, value in body.items() if name not in ignored.split(", ")}
    for name in ("stream_options", "text", "tools"):
        needed.pop(name, None)
    assert (await told(strict, path, needed)).status == 200, "what is left is understood"


async def test_functions_are_refused_where_no_template_offers_them(lenient: Client) -> None:
    tools = [{"type": "function", "name": "exec_command"}]
    answer = await told(lenient, RESPONSES, CODEX | {"tools": tools, "stream": False})
    assert (answer.status, answer.error["param"]) == (400, "tools")


async def test_a_strict_gateway_names_the_field_in_short(strict: Client) -> None:
    answer = await told(strict, CHAT, {"messages": ASKED, "ü" * 5000: 1})
    assert answer.status == 400
    assert answer.error["param"] == "ü" * 200
    assert len(answer.text) < 4000


async def test_many_odd_names_are_told_safely(lenient: Client) -> None:
    odd = {"a\r\nset-cookie: b": 1} | {f"f{number}": 1 for number in range(50)}
    answer = await told(lenient, CHAT, {"messages": ASKED} | odd)
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    names = answer.headers["x-trigreason-ignored"].split(", ")
    assert names == ["a%0D%0Aset-cookie%3A%20b", *(f"f{number}" for number in range(19))]


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_can_leave_the_reasoning_out(lenient: Client, stream: bool) -> None:
    asked = {"messages": ASKED, "stream": stream, "seed": 1}
    shown = await told(lenient, CHAT, asked)
    left_out = await told(lenient, CHAT, asked | {"reasoning": {"exclude": True}})
    assert "reasoning_content" in shown.text
    assert "reasoning" not in json.dumps(said(left_out, stream=stream))
    if stream:
        assert left_out.joined("content") == shown.joined("content") != ""
    else:
        assert left_out.message["content"] == shown.message["content"] != ""


def said(answer: Told, *, stream: bool) -> list[Any]:
    """The deltas or the message, without usage and the ``trigreason`` object."""
    if not stream:
        return [answer.message]
    return [choice["delta"] for chunk in answer.chunks for choice in chunk["choices"]]


async def test_the_description_of_the_api_allows_unknown_fields(lenient: Client) -> None:
    schemas = (await lenient.get("/openapi.json")).body["components"]["schemas"]
    for name in ("ChatRequest", "ChatMessage", "ResponsesRequest", "TextRequest"):
        assert schemas[name]["additionalProperties"] is True
        assert "presence_penalty" not in schemas[name]["properties"], "only what has an effect"
    assert schemas["Options"]["additionalProperties"] is False
