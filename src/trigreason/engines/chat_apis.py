"""The chat APIs that can continue an assistant message, and their request formats.

One row per API, after its published reference. Parameters that an API does not have (``top_k``,
``min_p``, a seed) are left out of the request, as the hosted APIs refuse unknown fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trigreason.engines.base import Capabilities, Sampling
from trigreason.engines.dialects import USAGE, VLLM, response_format
from trigreason.engines.guides import Guide
from trigreason.engines.thinking_text import AssistantTurn
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.reasoning.tags import THINK_TAGS

Fields = dict[str, Any]

HOSTED = Capabilities(logprobs=False, bills_closed_streams=True)


def _as_tags(turn: AssistantTurn) -> Fields:
    """The turn as the model wrote it, with its tags."""
    if turn.thought is None:
        return {"content": turn.said}
    end = "" if turn.is_open else END_OF_THINKING
    return {"content": f"{THINK_TAGS.opening}\n{turn.thought}{end}{turn.said}"}


def _as_reasoning_content(turn: AssistantTurn) -> Fields:
    """Thinking in a separate field. It counts as open if ``content`` is empty."""
    if turn.thought is None:
        return {"content": turn.said}
    return {"content": turn.said, "reasoning_content": turn.thought}


def _as_parts(turn: AssistantTurn) -> Fields:
    """Content in typed parts; the thinking part says whether it is closed."""
    if turn.thought is None:
        return {"content": turn.said}
    thinking = [{"type": "text", "text": turn.thought}]
    parts: list[Fields] = [
        {"type": "thinking", "thinking": thinking, "closed": not turn.is_open},
    ]
    if turn.said:
        parts.append({"type": "text", "text": turn.said})
    return {"content": parts}


def _in_deepseek(sampling: Sampling) -> Fields:
    """DeepSeek accepts but ignores these while it thinks; there is no seed."""
    return {"temperature": sampling.temperature, "top_p": sampling.top_p}


def _in_mistral(sampling: Sampling) -> Fields:
    """Greedy sampling is refused unless ``top_p`` is 1."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.temperature else 1,
        "random_seed": sampling.seed,
    }


def _in_groq(sampling: Sampling) -> Fields:
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
    }


def _deepseek_mode(turn: AssistantTurn) -> Fields:
    """DeepSeek thinks unless it is disabled; a turn without thinking continues without it."""
    return {"thinking": {"type": "disabled" if turn.thought is None else "enabled"}}


def _any_object(_: Guide) -> Fields:
    return {"response_format": {"type": "json_object"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatApi:
    """How to have one API continue an assistant message.

    Attributes:
        name: its name in the configuration.
        message: builds the fields of the message to continue from the turn so far.
        sampling: builds the sampling parameters it has, by its own names.
        mark: further fields of the message to continue.
        continues: further fields of a request that has a message to continue.
        mode: builds the request's fields about thinking.
        always: fields of every request, such as for usage at the stream's end.
        keeps_stop: fields besides ``stop`` with which the stream keeps the text it stops at.
        guiding: builds the fields that bind the text to a guide, as far as the API can.
        max_tokens: the name of the token limit.
        root: the end of the URL under which all this works; empty for any.
        apart: it always keeps thinking and answer in different fields.
        echoes: its answer begins with a copy of the message to continue.
        capabilities: its other abilities.
    """

    name: str
    message: Callable[[AssistantTurn], Fields]
    sampling: Callable[[Sampling], Fields]
    mark: Mapping[str, Any] = field(default_factory=dict)
    continues: Mapping[str, Any] = field(default_factory=dict)
    mode: Callable[[AssistantTurn], Fields] = lambda turn: {}
    always: Mapping[str, Any] = field(default_factory=lambda: {"stream_options": USAGE})
    keeps_stop: Mapping[str, Any] = field(default_factory=dict)
    guiding: Callable[[Guide], Fields] = lambda guide: {}
    max_tokens: str = "max_tokens"
    root: str = ""
    apart: bool = False
    echoes: bool = False
    capabilities: Capabilities = HOSTED


VLLM_CHAT = ChatApi(
    name="vllm-chat",
    message=_as_tags,
    sampling=VLLM.sampling,
    continues={"continue_final_message": True, "add_generation_prompt": False},
    always=VLLM.always,
    keeps_stop=VLLM.keeps_stop,
    guiding=response_format,
    capabilities=Capabilities(guides=True),
)
"""vLLM's own server, for templates that only the server has. Raw completions are safer: here the
server's template decides how the thinking is rendered. It is best served without a reasoning
parser, to which an answer that ends the thinking at once looks like thinking."""

DEEPSEEK = ChatApi(
    name="deepseek",
    message=_as_reasoning_content,
    sampling=_in_deepseek,
    mark={"prefix": True},
    mode=_deepseek_mode,
    guiding=_any_object,
    root="/beta",
    apart=True,
)
"""DeepSeek's chat prefix completion, in beta. Its reference does not say whether thinking that is
sent along is continued or closed (the encoders that come with its models close it), nor whether
``stop`` applies inside it. A probe has to find out both; ``max_tokens`` bounds the cost if the
answer is no."""

MISTRAL = ChatApi(
    name="mistral",
    message=_as_parts,
    sampling=_in_mistral,
    mark={"prefix": True},
    always={},
    apart=True,
    echoes=True,
)
"""Mistral always sends the usage, and begins its answer with the prefix."""

GROQ = ChatApi(
    name="groq",
    message=_as_tags,
    sampling=_in_groq,
    max_tokens="max_completion_tokens",
)
"""Groq continues any trailing assistant message. ``reasoning_format`` is left at its default,
thinking in tags, because models without the parameter refuse it."""

CHAT_APIS = {api.name: api for api in (VLLM_CHAT, DEEPSEEK, MISTRAL, GROQ)}
