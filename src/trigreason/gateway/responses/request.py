"""The body of a request to ``/v1/responses``, in OpenAI's words.

Every field of OpenAI's is here: honoured, allowed at the value that asks for nothing, or refused
with its name. A field that OpenAI does not know is refused, as OpenAI does; ``seed``, which the
Responses API lacks, and ``trigreason`` are ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from trigreason.gateway.asked import Effort, GatewayRequest, Options, Seed
from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.naming import MAX_NAME
from trigreason.gateway.responses.conversation import conversation

NOTHING_ASKED: dict[str, tuple[Any, ...]] = {
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
"""Fields that a pair has nothing to give for, and the values that ask for nothing."""

KEPT = ("background", "conversation", "previous_response_id")
"""Those of them that need responses which outlive their request."""

Input = Annotated[
    Any,
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
    ),
]
"""Read by :func:`conversation`, whose errors name the item at fault."""

Metadata = dict[
    Annotated[str, Field(max_length=64)],
    Annotated[str, Field(max_length=512)],
]


class Reasoning(BaseModel):
    """How much to think. No summary is made: the reasoning itself is told."""

    model_config = ConfigDict(extra="forbid")

    effort: Effort | None = None
    summary: Literal["auto"] | None = None
    generate_summary: Literal["auto"] | None = None
    context: Literal["auto", "current_turn"] | None = None
    mode: Literal["standard"] | None = None


class TextFormat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]


class Text(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ResponsesStreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_obfuscation: bool | None = None


class ResponsesRequest(BaseModel):
    """A request to ``/v1/responses``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

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
    trigreason: Options | None = None

    # Of use to others, and without effect here
    max_tool_calls: int | None = None
    parallel_tool_calls: bool | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: (
        Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | None
    ) = None
    store: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: Annotated[str | None, Field(max_length=512)] = None

    # Refused where they ask for something
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

    def asked(self) -> GatewayRequest:
        """What is asked for. Raises ApiError for what cannot be served."""
        for field, harmless in NOTHING_ASKED.items():
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
            options=self.trigreason or Options(),
        )
