"""The body of a request to ``/v1/responses``: OpenAI's schema, and fields of other servers.

A field that has no effect is ignored, and the response names it. One without which the answer would
be wrong is refused. ``seed`` (which the Responses API lacks) and ``trigreason`` are understood.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from trigreason.gateway.formats import OTHER_FORMATS, FlatFormat, guide_of
from trigreason.gateway.gateway_request import Effort, GatewayRequest, GenerationBody
from trigreason.gateway.lenient import (
    LenientModel,
    Limit,
    ignored_fields,
    refuse,
    unstreamed,
)
from trigreason.gateway.responses.conversation import conversation, unknown_fields
from trigreason.gateway.responses.offered import offered
from trigreason.gateway.responses.state import ResponseState

HARMLESS: dict[str, tuple[Any, ...]] = {
    "reasoning.context": ("auto", "current_turn"),
    "reasoning.generate_summary": ("auto",),
    "reasoning.mode": ("standard",),
    "reasoning.summary": ("auto",),
    "text.verbosity": ("medium",),
    "truncation": ("disabled",),
}
"""Values with which a field asks for what is done anyway."""

ENCRYPTED = "reasoning.encrypted_content"
_NOT_KEPT = "responses are not kept; send the conversation in input"

REFUSED = {
    "background": _NOT_KEPT,
    "conversation": _NOT_KEPT,
    "previous_response_id": _NOT_KEPT,
    "prompt": "no prompts are kept here; send instructions and input",
    **dict.fromkeys(("response_format", *OTHER_FORMATS), "send a schema in text.format"),
}
"""Fields without which the answer would be wrong, and why they cannot be honoured."""

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


class Reasoning(LenientModel):
    """How much to think. There are no summaries: the response has the reasoning itself."""

    effort: Effort | None = None


class Text(LenientModel):
    format: FlatFormat | None = None


class ResponsesStreamOptions(LenientModel):
    include_obfuscation: bool | None = None


class ResponsesRequest(GenerationBody):
    """A request to ``/v1/responses``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "bundled", "input": "not ( True ) is"}]},
    )

    input: Input
    instructions: str | None = None
    stream_options: ResponsesStreamOptions | None = None
    max_output_tokens: Limit = None
    reasoning: Reasoning | None = None
    text: Text | None = None
    metadata: Annotated[Metadata | None, Field(max_length=16)] = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    store: bool | None = None

    # Accepted: they do not concern the answer
    max_tool_calls: int | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None

    @property
    def signs_reasoning(self) -> bool:
        """Whether the reasoning comes with its ``encrypted_content``."""
        return ENCRYPTED in (self.include or ())

    def parsed(self, state: ResponseState) -> GatewayRequest:
        """The request, parsed. Raises ApiError if it asks for what cannot be served."""
        refuse(self, REFUSED)
        tools, forced, ignored_tools = offered(self.tools or (), self.tool_choice)
        wanted = self.text.format if self.text else None
        guide = guide_of(wanted, "text.format", has_tools=bool(tools))
        return self.request(
            conversation(self.instructions, self.input, state),
            max_tokens=self.max_output_tokens,
            effort=self.reasoning.effort if self.reasoning else None,
            guide=guide,
            tools=tools,
            forced=forced,
            parallel_calls=self.parallel_tool_calls is not False,
            ignored=ignored_fields(
                self,
                HARMLESS,
                *unstreamed(self.stream_options, self.stream),
                *unknown_fields(self.input),
                *ignored_tools,
                *(("include",) if set(self.include or ()) - {ENCRYPTED} else ()),
            ),
        )
