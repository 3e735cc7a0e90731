"""How each API is asked to go on with a turn."""

from __future__ import annotations

from typing import Any

import pytest

from trigreason.engines.base import Prefix, Request, Sampling
from trigreason.engines.chat_apis import (
    CHAT_APIS,
    DEEPSEEK,
    GROQ,
    MISTRAL,
    VLLM_CHAT,
    ChatApi,
)
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.reasoning import Message

TAG = "</think>"
QUESTION = (Message("user", "2 + 2?"),)

BODIES = {
    "vllm-chat": {
        "last": {"role": "assistant", "content": "<think>\nSo"},
        "max_tokens": 9,
        "temperature": 0,
        "top_p": 0.95,
        "top_k": -1,
        "min_p": 0.0,
        "seed": 7,
        "repetition_penalty": 1.0,
        "continue_final_message": True,
        "add_generation_prompt": False,
    },
    "deepseek": {
        "last": {"role": "assistant", "content": "", "reasoning_content": "So", "prefix": True},
        "max_tokens": 9,
        "temperature": 0,
        "top_p": 0.95,
        "thinking": {"type": "enabled"},
    },
    "mistral": {
        "last": {
            "role": "assistant",
            "prefix": True,
            "content": [
                {
                    "type": "thinking",
                    "thinking": [{"type": "text", "text": "So"}],
                    "closed": False,
                }
            ],
        },
        "max_tokens": 9,
        "temperature": 0,
        "top_p": 1,
        "random_seed": 7,
    },
    "groq": {
        "last": {"role": "assistant", "content": "<think>\nSo"},
        "max_completion_tokens": 9,
        "temperature": 0,
        "top_p": 0.95,
        "seed": 7,
    },
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_sent(name: str) -> None:
    engine = ChatPrefixEngine("http://there/v1", "m", api=CHAT_APIS[name])
    earlier = (
        Message("user", "1?"),
        Message("assistant", "<think>\nOne\n</think>\n\nOne."),
        *QUESTION,
    )
    body = engine.request_body(
        Request(Prefix(earlier, "So"), Sampling(temperature=0, seed=7), 9, None)
    )
    *before, last = body.pop("messages")
    assert before == [
        {"role": "user", "content": "1?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "2 + 2?"},
    ]
    assert body.pop("model") == "m"
    assert body.pop("stream") is True
    body.pop("stream_options", None)
    assert {"last": last, **body} == BODIES[name]


OPENED = "<think>\nThe score of the last step is "


@pytest.mark.parametrize(
    ("api", "prefix", "sent"),
    [
        (VLLM_CHAT, Prefix((), OPENED, thinking=False), {"content": OPENED}),
        (VLLM_CHAT, Prefix((), "So", thinking=False), {"content": "So"}),
        (GROQ, Prefix((), f"a{TAG}b"), {"content": f"<think>\na{TAG}b"}),
        (
            DEEPSEEK,
            Prefix((), OPENED, thinking=False),
            {"content": "", "reasoning_content": OPENED.removeprefix("<think>\n")},
        ),
        (DEEPSEEK, Prefix((), "So", thinking=False), {"content": "So"}),
        (DEEPSEEK, Prefix((), f"a{TAG}b"), {"content": "b", "reasoning_content": "a"}),
        (MISTRAL, Prefix((), "So", thinking=False), {"content": "So"}),
        (
            MISTRAL,
            Prefix((), f"a\n{TAG}\n\nb"),
            {
                "content": [
                    {
                        "type": "thinking",
                        "thinking": [{"type": "text", "text": "a\n"}],
                        "closed": True,
                    },
                    {"type": "text", "text": "\n\nb"},
                ]
            },
        ),
    ],
)
def test_where_a_turn_goes(api: ChatApi, prefix: Prefix, sent: dict[str, Any]) -> None:
    engine = ChatPrefixEngine("http://there/v1", "m", api=api)
    body = engine.request_body(Request(prefix, Sampling(), 9, None))
    assert body["messages"] == [{"role": "assistant", **sent, **api.mark}]


def test_a_turn_not_begun_is_no_message() -> None:
    engine = ChatPrefixEngine("http://there/v1", "m", api=VLLM_CHAT)
    body = engine.request_body(Request(Prefix(QUESTION, thinking=False), Sampling(), 9, None))
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "continue_final_message" not in body


@pytest.mark.parametrize("url", ["https://d", "https://d/v1", "https://d/v1/", "https://d/beta"])
def test_deepseek_goes_on_in_beta_only(url: str) -> None:
    assert ChatPrefixEngine(url, "m", api=DEEPSEEK).url == "https://d/beta"
