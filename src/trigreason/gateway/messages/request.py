"""The body of a request to ``/v1/messages`` and ``/v1/messages/count_tokens``.

Anthropic's clients send fields of many optional features. A field that is not known here has no
effect, and the response says so in a header; one that asks for what cannot be done is refused.
``seed`` and ``min_p``, which Anthropic's API lacks, and ``trigreason`` are the gateway's own.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.forced_calls import forced_among
from trigreason.gateway.formats import FlatFormat, guide_of
from trigreason.gateway.gateway_request import Effort, GatewayRequest, Options, Seed
from trigreason.gateway.lenient import LenientModel, MinP, TopK, ignored_fields
from trigreason.gateway.messages.conversation import Content, MessagesTurn, conversation
from trigreason.gateway.naming import MAX_NAME
from trigreason.gateway.thinking import ThinkingConfig, bounded_thinking
from trigreason.gateway.tools import tools_of
from trigreason.reasoning import Message, Tool

MOST_STOPS = 100

_SHOWN = 40


class OutputConfig(LenientModel):
    effort: Effort | None = None
    format: FlatFormat | None = None


class MessagesTool(LenientModel):
    """A function; other fields than these have no effect."""

    name: Annotated[str, Field(min_length=1)]
    type: str | None = None
    description: str | None = None
    cache_control: dict[str, Any] | None = None
    input_schema: dict[str, Any] | None = None

    def as_openai_has_it(self, where: str) -> dict[str, Any]:
        """The tool in OpenAI's form. Raises ApiError if it is no function of the client's."""
        if self.type not in (None, "custom"):
            what = f"a tool of type {self.type[:_SHOWN]!r} cannot be called here"
            raise unsupported(where, what)
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self.input_schema,
        }
        return {"type": "function", "function": function}


class ToolChoice(LenientModel):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class CountRequest(LenientModel):
    """The fields that make up the prompt; fields that concern the response have no effect."""

    model: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    messages: Annotated[list[MessagesTurn], Field(min_length=1)]
    system: Content | None = None
    tools: list[MessagesTool] | None = None
    tool_choice: ToolChoice | None = None
    trigreason: Options | None = None

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The conversation. Raises ApiError if it holds what the models cannot read."""
        return conversation(self.system, self.messages)

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools that may be called. Raises ApiError if one is no function of the client's."""
        given = [
            tool.as_openai_has_it(f"tools[{index}]") for index, tool in enumerate(self.tools or ())
        ]
        is_off = self.tool_choice is not None and self.tool_choice.type == "none"
        return tools_of(given, "none" if is_off else "auto")


class MessagesRequest(CountRequest):
    """A request to ``/v1/messages``."""

    max_tokens: Annotated[int, Field(ge=1)]
    stop_sequences: Annotated[list[str] | None, Field(max_length=MOST_STOPS)] = None
    stream: bool | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    top_k: TopK = None
    min_p: MinP = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: FlatFormat | None = None
    seed: Seed | None = None

    # Accepted: they do not concern the answer
    cache_control: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None

    @property
    def shows_thinking(self) -> bool:
        """Whether the response has a block of thinking.

        As in Anthropic's API, only if the request asks for it: other clients take the first block
        to be the text.
        """
        return self.thinking is not None and self.thinking.type != "disabled"

    @property
    def omits_thinking(self) -> bool:
        """Whether that block comes without its text."""
        return self.thinking is not None and self.thinking.display == "omitted"

    def parsed(self, *also_ignored: str) -> GatewayRequest:
        """The request, parsed; ``also_ignored`` are headers that have no effect.

        Raises:
            ApiError: it asks for what cannot be served.
        """
        stops = tuple(self.stop_sequences or ())
        if not all(stops):
            raise invalid("stop_sequences: an empty text would stop all", "stop_sequences")
        choice, tools = self.tool_choice or ToolChoice(type="auto"), self.offered
        if choice.type == "tool" and choice.name is None:
            raise invalid("tool_choice.name: the tool's name is missing", "tool_choice.name")
        forced = choice.type in ("any", "tool")
        output = self.output_config or OutputConfig()
        if output.format and self.output_format:
            what = "output_format: is the older name of output_config.format; leave out one"
            raise invalid(what, "output_format")
        param = "output_config.format" if output.format else "output_format"
        guide = guide_of(output.format or self.output_format, param, has_tools=bool(tools))
        options, effort = bounded_thinking(
            self.trigreason or Options(),
            output.effort,
            self.thinking.budget_tokens if self.thinking else None,
            is_off=self.thinking is not None and self.thinking.type == "disabled",
        )
        return GatewayRequest(
            messages=self.conversation,
            streamed=bool(self.stream),
            max_tokens=self.max_tokens,
            effort=effort,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            seed=self.seed,
            stop=stops,
            guide=guide,
            tools=tools,
            parallel_calls=not choice.disable_parallel_tool_use,
            forced=forced_among(tools, choice.name) if forced else None,
            options=options,
            ignored=(*ignored_fields(self, {}), *also_ignored),
        )
