"""The servers that continue raw text, and how their requests differ.

One row per server, after its published reference; the self-hosted ones were tried as well. What
all have in common is in :mod:`trigreason.engines.completions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trigreason.engines.base import BLANK_LINE, Capabilities, LogprobScale, Sampling
from trigreason.engines.guides import Guide
from trigreason.engines.http import SESSION_HEADER
from trigreason.reasoning import THINK_TAGS, Tags

USAGE = {"include_usage": True}
USAGE_AS_IT_GOES = {**USAGE, "continuous_usage_stats": True}
"""Usage in every event, so that a stream closed early has reported it too."""


def response_format(guide: Guide) -> dict[str, Any]:
    """The field that binds a text to a guide, in OpenAI's form."""
    if guide.is_any_object:
        return {"response_format": {"type": "json_object"}}
    schema = {"name": "answer", "schema": dict(guide.json_schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _schema_as_text(guide: Guide) -> dict[str, Any]:
    return {"json_schema": json.dumps(dict(guide.json_schema))}


def _schema_as_it_is(guide: Guide) -> dict[str, Any]:
    return {"json_schema": dict(guide.json_schema)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenize:
    """How a server's ``/tokenize``, beside ``/v1``, is asked for the tokens of a prompt.

    Attributes:
        prompt_field: the name of the prompt's field.
        always: fields that make it parse the prompt as a completion's.
    """

    prompt_field: str = "prompt"
    always: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of server is asked to continue a text.

    Attributes:
        name: its name for users.
        top_k_off: the ``top_k`` that switches it off; None if leaving it out does.
        always: fields of every request, besides those of all dialects.
        keeps_stop: fields that keep the text a stream stops at; empty if the server
            always leaves it out.
        shows_special: fields that show special tokens in the text, which most tags other than
            ``<think>`` are. If the stop text is kept, they also show the end of a turn.
        names_special: whether it shows the special tokens that a request names.
        tokenize: how it counts a prompt's tokens; None if it does not.
        guiding: builds the fields that bind the text to a guide.
        keeps_connections: False if the server drops kept-alive connections silently.
        session_header: the name of the header by which it keeps a session on one replica.
        capabilities: the abilities of every server of this kind.
    """

    name: str
    top_k_off: int | None = -1
    always: Mapping[str, Any] = field(default_factory=dict)
    keeps_stop: Mapping[str, Any] = field(default_factory=dict)
    shows_special: Mapping[str, Any] = field(default_factory=dict)
    names_special: bool = False
    tokenize: Tokenize | None = None
    guiding: Callable[[Guide], dict[str, Any]] = lambda _: {}
    keeps_connections: bool = True
    session_header: str = SESSION_HEADER
    capabilities: Capabilities = field(default_factory=Capabilities)

    def sampling(self, sampling: Sampling) -> dict[str, Any]:
        """Every sampling parameter, spelled out."""
        top_k = self.top_k_off if sampling.top_k is None else sampling.top_k
        return {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            **({} if top_k is None else {"top_k": top_k}),
            "min_p": sampling.min_p,
            "seed": sampling.seed,
        }

    def showing(self, tags: Tags | None, words: Sequence[str] = ()) -> Mapping[str, Any]:
        """The fields that make a model's tags, and other special ``words``, appear in its text."""
        if self.names_special and (tags is not None or words):
            return {"preserved_tokens": [*(tags or ()), *words]}
        return {} if tags in (None, THINK_TAGS) and not words else self.shows_special

    def stopping(self, tags: Tags | None, words: Sequence[str] = ()) -> dict[str, Any]:
        """The fields that end a stream at a blank line."""
        kept = {} if self.shows_special and self.showing(tags, words) else self.keeps_stop
        return {"stop": [BLANK_LINE], **kept}


GENERIC = Dialect(name="generic", always={"stream_options": USAGE})

VLLM = Dialect(
    name="vllm",
    always={"stream_options": USAGE_AS_IT_GOES, "repetition_penalty": 1.0},
    keeps_stop={"include_stop_str_in_output": True},
    shows_special={"skip_special_tokens": False},
    tokenize=Tokenize(),
    guiding=response_format,
    capabilities=Capabilities(guides=True),
)
"""A model's ``generation_config`` may set a repetition penalty, so it is switched off.
``response_format`` works in all versions; ``guided_json`` became ``structured_outputs``."""

SGLANG = Dialect(
    name="sglang",
    always={"stream_options": USAGE_AS_IT_GOES, "repetition_penalty": 1.0},
    keeps_stop={"no_stop_trim": True},
    shows_special={"skip_special_tokens": False},
    tokenize=Tokenize(),
    guiding=_schema_as_text,
    capabilities=Capabilities(logprob_scale=LogprobScale.SAMPLING, guides=True),
)
"""SGLang's OpenAI route. The logprobs are raw if the server sets
``SGLANG_RETURN_ORIGINAL_LOGPROB=1``, which it does not report."""

SGLANG_GENERATE = replace(SGLANG, name="sglang-generate")
"""SGLang's own route, whose requests have another format."""

LLAMA_CPP = Dialect(
    name="llama.cpp",
    always={"stream_options": USAGE, "cache_prompt": True, "return_progress": True},
    names_special=True,
    tokenize=Tokenize(prompt_field="content", always={"add_special": True, "parse_special": True}),
    guiding=_schema_as_it_is,
    keeps_connections=False,
    capabilities=Capabilities(guides=True),
)
"""``return_progress`` reports the prompt's tokens before the first token. The server drops a
connection silently after a stream."""

TOGETHER = Dialect(
    name="together",
    top_k_off=None,
    always={"stream_options": USAGE},
    capabilities=Capabilities(bills_closed_streams=True),
)

FIREWORKS = Dialect(
    name="fireworks",
    top_k_off=0,
    always={"stream_options": USAGE, "context_length_exceeded_behavior": "truncate"},
    session_header="x-session-affinity",
    guiding=response_format,
    capabilities=Capabilities(max_alternatives=5, bills_closed_streams=True, guides=True),
)
"""``truncate`` lowers ``max_tokens`` to what fits beside the prompt."""

DIALECTS = (VLLM, SGLANG, SGLANG_GENERATE, LLAMA_CPP, TOGETHER, FIREWORKS, GENERIC)
