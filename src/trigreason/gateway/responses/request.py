"""The body of a request to ``/v1/responses``, in OpenAI's schema.

Every field of OpenAI's is here: it is honoured, or allowed at the values that have no effect, or
refused by name. A field that OpenAI does not know is refused, as OpenAI does, except ``seed``
(which the Responses API lacks) and ``trigreason``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.formats import FlatFormat, guide_of
from trigreason.gateway.gateway_request import Effort, GatewayRequest, Options, Seed
from trigreason.gateway.naming import MAX_NAME
from trigreason.gateway.responses.conversation import conversation

NO_EFFECT: dict[str, tuple[Any, ...]] = {
    "access_programs": (None, {}),
    "background": (None, False),
    "background_options": (None, {}),
    "context_management": (None, []),
    "conversation": (None,),
    "image": (None, {}),
    "include": (None, []),
    "moderation": (None,),
    "previous_response_id": (None,),
    "prompt": (None,),
    "tool_choice": (None, "none", "auto"),
    "tools": (None, []),
    "top_logprobs": (None, 0),
}
"""Fields that a pair cannot honour, and their values that have no effect."""

KEPT = ("background", "conversation", "previous_response_id")
"""Those of them that need stored responses."""

Input = Annotated[
    Any,
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
    ),
]
"""Parsed by :func:`conversation`, whose errors name the item at fault."""

Metadata = dict[
    Annotated[str, Field(max_length=64)],
    Annotated[str, Field(max_length=512)],
]


class Reasoning(BaseModel):
    """How much to think. There are no summaries: the response has the reasoning itself."""

    model_config = ConfigDict(extra="forbid")

    effort: Effort | None = None
    summary: Literal["auto"] | None = None
    generate_summary: Literal["auto"] | None = None
    context: Literal["auto", "current_turn"] | None = None
    mode: Literal["standard"] | None = None


class Text(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: FlatFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ResponsesStreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_obfuscation: bool | None = None


class ResponsesRequest(BaseModel):
    """A request to ``/v1/responses``."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"model": "bundled", "input": "not ( True ) is"}]},
    )

    model: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    input: Input
    instructions: str | None = None
    stream: bool | None = None
    stream_options: ResponsesStreamOptions | None = None
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    reasoning: Reasoning | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    seed: Seed | None = None
    text: Text | None = None
    metadata: Annotated[Metadata | None, Field(max_length=16)] = None
    prompt_cache_key: str | None = None
    trigreason: Options | None = None

    # Accepted and ignored
    max_tool_calls: int | None = None
    parallel_tool_calls: bool | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: (
        Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | None
    ) = None
    store: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: Annotated[str | None, Field(max_length=512)] = None

    # Refused unless the value has no effect
    access_programs: Any = None
    background: Any = None
    background_options: Any = None
    context_management: Any = None
    conversation: Any = None
    image: Any = None
    include: Any = None
    moderation: Any = None
    previous_response_id: Any = None
    prompt: Any = None
    tool_choice: Any = None
    tools: Any = None
    top_logprobs: Any = None

    def parsed(self) -> GatewayRequest:
        """The request, parsed. Raises ApiError if it asks for what cannot be served."""
        for field, harmless in NO_EFFECT.items():
            if getattr(self, field) not in harmless:
                what = "pairs of reasoning models give text and nothing else"
                if field in KEPT:
                    what = "responses are not kept; send the conversation in input"
                raise unsupported(field, what)
        if self.stream_options is not None and not self.stream:
            raise invalid("stream_options is of no use without stream", "stream_options")
        return GatewayRequest(
            messages=conversation(self.instructions, self.input),
            streamed=bool(self.stream),
            max_tokens=self.max_output_tokens,
            effort=self.reasoning.effort if self.reasoning else None,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            cache_key=self.prompt_cache_key,
            guide=guide_of(self.text.format if self.text else None, "text.format"),
            options=self.trigreason or Options(),
        )
