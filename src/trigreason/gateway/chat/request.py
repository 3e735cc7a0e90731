"""The body of a chat completion request, in OpenAI's schema.

Every field of OpenAI's is here: it is honoured, or allowed at the values that have no effect, or
refused by name. A field that OpenAI does not know is refused, as OpenAI does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.formats import ResponseFormat, guide_of
from trigreason.gateway.gateway_request import Effort, GatewayRequest, Options, Seed
from trigreason.gateway.naming import MAX_NAME
from trigreason.gateway.texts import plain_text
from trigreason.gateway.tools import calls_of, tools_of
from trigreason.reasoning import Message

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
NO_EFFECT: dict[str, tuple[Any, ...]] = {
    "audio": (None,),
    "frequency_penalty": (None, 0),
    "function_call": (None, "none"),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "logprobs": (None, False),
    "modalities": (None, ["text"]),
    "moderation": (None,),
    "prediction": (None,),
    "presence_penalty": (None, 0),
    "top_logprobs": (None, 0),
    "web_search_options": (None,),
}
"""Fields that a pair cannot honour, and their values that have no effect."""


class ChatStreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatMessage(BaseModel):
    """A turn. Earlier reasoning is left out of the prompt, except before calls of tools."""

    model_config = ConfigDict(extra="forbid")

    role: Annotated[str, Field(max_length=40)]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    tool_calls: list[Any] | None = None
    function_call: None = None
    tool_call_id: str | None = None


class ChatRequest(BaseModel):
    """A request to ``/v1/chat/completions``."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"model": "bundled", "messages": [{"role": "user", "content": "not ( True ) is"}]}
            ]
        },
    )

    model: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: ChatStreamOptions | None = None
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    reasoning_effort: Effort | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    seed: Seed | None = None
    stop: str | list[str] | None = None
    tools: Any = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    n: Annotated[int | None, Field(ge=1)] = None
    user: Annotated[str | None, Field(max_length=512)] = None
    prompt_cache_key: str | None = None
    response_format: ResponseFormat | None = None
    trigreason: Options | None = None

    # Accepted and ignored
    metadata: dict[str, Any] | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default", "fast", "flex", "priority", "scale"] | None = None
    store: bool | None = None
    verbosity: Literal["low", "medium", "high"] | None = None

    # Refused unless the value has no effect
    audio: Any = None
    frequency_penalty: Any = None
    function_call: Any = None
    functions: Any = None
    logit_bias: Any = None
    logprobs: Any = None
    modalities: Any = None
    moderation: Any = None
    prediction: Any = None
    presence_penalty: Any = None
    top_logprobs: Any = None
    web_search_options: Any = None

    @property
    def includes_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def parsed(self) -> GatewayRequest:
        """The request, parsed. Raises ApiError if it asks for what cannot be served."""
        for field, harmless in NO_EFFECT.items():
            if getattr(self, field) not in harmless:
                raise unsupported(field, "pairs of reasoning models give text and nothing else")
        if self.stream_options is not None and not self.stream:
            raise invalid("stream_options is of no use without stream", "stream_options")
        guide = guide_of(self.response_format)
        tools = tools_of(self.tools, self.tool_choice)
        if guide is not None and tools:
            what = "a schema binds the whole answer, so no tool could be called; leave out one"
            raise unsupported("response_format", what)
        limits = [self.max_completion_tokens, self.max_tokens]
        return GatewayRequest(
            messages=tuple(
                _message(message, f"messages[{index}]")
                for index, message in enumerate(self.messages)
            ),
            choices=self.n or 1,
            streamed=bool(self.stream),
            max_tokens=min((limit for limit in limits if limit is not None), default=None),
            effort=self.reasoning_effort,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            stop=stops(self.stop),
            cache_key=self.prompt_cache_key,
            guide=guide,
            tools=tools,
            parallel_calls=self.parallel_tool_calls is not False,
            options=self.trigreason or Options(),
        )


def _message(message: ChatMessage, where: str) -> Message:
    role = ROLES.get(message.role)
    if role is None:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    if message.tool_calls and role != "assistant":
        raise invalid(f"{where}.tool_calls: only an assistant calls", f"{where}.tool_calls")
    content = message.content
    if content is None and role == "assistant":
        content = ""
    reasoning = message.reasoning_content or message.reasoning
    if not message.tool_calls or not isinstance(reasoning, str):
        reasoning = ""
    return Message(
        role,
        plain_text(content, f"{where}.content", ("text",)),
        calls_of(message.tool_calls, f"{where}.tool_calls"),
        plain_text(message.tool_call_id or "", f"{where}.tool_call_id", ()),
        plain_text(reasoning, f"{where}.reasoning_content", ()),
    )


def stops(stop: str | list[str] | None) -> tuple[str, ...]:
    """The texts of ``stop``. Raises ApiError if there are too many, or one is empty."""
    texts = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(texts) > 4:
        raise invalid(f"stop: at most 4 texts, not {len(texts)}", "stop")
    if not all(texts):
        raise invalid("stop: an empty text would stop everything", "stop")
    return texts
