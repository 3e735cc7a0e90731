"""Who can go on with an assistant message in a chat, and how each wants to be asked.

One row per API, after its published reference. What an API has no parameter for (``top_k``,
``min_p``, a seed) is left out of the request: the hosted ones refuse unknown fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trigreason.engines.base import Capabilities, Sampling
from trigreason.engines.dialects import USAGE, VLLM
from trigreason.engines.thinking_text import AssistantTurn
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.reasoning.tags import THINK_TAGS

Fields = dict[str, Any]

HOSTED = Capabilities(logprobs=False, bills_closed_streams=True)


def _as_tags(turn: AssistantTurn) -> Fields:
    """The turn as the model wrote it, tags and all."""
    if turn.thought is None:
        return {"content": turn.said}
    end = "" if turn.is_open else END_OF_THINKING
    return {"content": f"{THINK_TAGS.opening}\n{turn.thought}{end}{turn.said}"}


def _as_reasoning_content(turn: AssistantTurn) -> Fields:
    """Thinking in a field of its own. It counts as open where ``content`` is empty."""
    if turn.thought is None:
        return {"content": turn.said}
    return {"content": turn.said, "reasoning_content": turn.thought}


def _as_parts(turn: AssistantTurn) -> Fields:
    """Content in typed parts, of which the thinking says whether it is closed."""
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
    """While it thinks DeepSeek takes these and pays no heed to them; there is no seed."""
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
    """DeepSeek thinks unless told not to; a turn without thinking is continued without."""
    return {"thinking": {"type": "disabled" if turn.thought is None else "enabled"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatApi:
    """How one API goes on with an assistant message.

    Attributes:
        name: as the configuration calls it.
        message: the fields of the message to go on with, from the turn so far.
        sampling: the parameters it has, by its own names.
        mark: what else that message bears.
        continues: what the request bears when there is a message to go on with.
        mode: what the request says about thinking.
        always: what every request bears, usage at the stream's end among it.
        keeps_stop: what it bears, besides ``stop``, so that the text it stops at comes along.
        max_tokens: its name for that limit.
        root: the end of the URL under which all this works; empty for any.
        apart: it keeps thinking and answer in different fields, always.
        echoes: it begins by saying again what it was given.
        capabilities: what it can do besides.
    """

    name: str
    message: Callable[[AssistantTurn], Fields]
    sampling: Callable[[Sampling], Fields]
    mark: Mapping[str, Any] = field(default_factory=dict)
    continues: Mapping[str, Any] = field(default_factory=dict)
    mode: Callable[[AssistantTurn], Fields] = lambda turn: {}
    always: Mapping[str, Any] = field(default_factory=lambda: {"stream_options": USAGE})
    keeps_stop: Mapping[str, Any] = field(default_factory=dict)
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
    capabilities=Capabilities(),
)
"""vLLM's own server, for templates that live only there. Raw completions are the surer way: here
the server's template has the last word on what becomes of the thinking. It is best served without
a reasoning parser: sorted by one, an answer that ends the thinking at once looks like thinking."""

DEEPSEEK = ChatApi(
    name="deepseek",
    message=_as_reasoning_content,
    sampling=_in_deepseek,
    mark={"prefix": True},
    mode=_deepseek_mode,
    root="/beta",
    apart=True,
)
"""DeepSeek's chat prefix completion, in beta. Its reference does not say whether thinking that is
handed over is taken up or closed (the encoders that come with its models close it), nor whether
``stop`` is looked for inside it: both are for a probe to find out, and ``max_tokens`` bounds what
it costs where the answer is no."""

MISTRAL = ChatApi(
    name="mistral",
    message=_as_parts,
    sampling=_in_mistral,
    mark={"prefix": True},
    always={},
    apart=True,
    echoes=True,
)
"""Mistral sends the usage unasked, and begins its answer with the prefix."""

GROQ = ChatApi(
    name="groq",
    message=_as_tags,
    sampling=_in_groq,
    max_tokens="max_completion_tokens",
)
"""Groq goes on with any trailing assistant message. ``reasoning_format`` is left at its default,
thinking in tags: models that do not know the parameter refuse it."""

CHAT_APIS = {api.name: api for api in (VLLM_CHAT, DEEPSEEK, MISTRAL, GROQ)}
