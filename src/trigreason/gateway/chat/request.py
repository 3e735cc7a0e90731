"""The body of a chat completion request: OpenAI's schema, and fields of other servers.

A field that has no effect is ignored, and the response names it. One without which the answer would
be wrong is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from trigreason.gateway.errors import invalid
from trigreason.gateway.forced_calls import forced_call
from trigreason.gateway.formats import OTHER_FORMATS, ResponseFormat, guide_of
from trigreason.gateway.gateway_request import Effort, GatewayRequest, GenerationBody, Options
from trigreason.gateway.lenient import (
    LenientModel,
    Limit,
    ignored_fields,
    refuse,
    unstreamed,
)
from trigreason.gateway.texts import plain_text
from trigreason.gateway.thinking import (
    ReasoningConfig,
    ThinkingBudget,
    ThinkingConfig,
    bounded_thinking,
)
from trigreason.gateway.tools import calls_of, tools_of
from trigreason.reasoning import Message

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
HARMLESS = {"modalities": (["text"],), "verbosity": ("medium",), "function_call": ("none",)}
"""Values with which a field asks for what is done anyway."""

REFUSED = {
    "functions": "send tools; functions are the form before them",
    "logprobs": "a pair tells no probabilities of its text",
    **dict.fromkeys(OTHER_FORMATS, "send a schema in response_format"),
}
"""Fields without which the answer would be wrong, and why they cannot be honoured."""


class ChatStreamOptions(LenientModel):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatMessage(LenientModel):
    """A turn. Earlier reasoning is left out of the prompt, except before calls of tools."""

    role: Annotated[str, Field(max_length=40)]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    cache_control: Any = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    tool_calls: list[Any] | None = None
    function_call: None = None
    tool_call_id: str | None = None


class ChatRequest(GenerationBody):
    """A request to ``/v1/chat/completions``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "bundled", "messages": [{"role": "user", "content": "not ( True ) is"}]}
            ]
        },
    )

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream_options: ChatStreamOptions | None = None
    max_tokens: Limit = None
    max_completion_tokens: Limit = None
    reasoning_effort: Effort | None = None
    reasoning: ReasoningConfig | None = None
    thinking: ThinkingConfig | None = None
    thinking_token_budget: ThinkingBudget = None
    stop: str | list[str] | None = None
    tools: Any = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    n: Annotated[int | None, Field(ge=1)] = None
    response_format: ResponseFormat | None = None

    # Accepted: they do not concern the answer
    cache_control: Any = None
    cache_prompt: bool | None = None
    metadata: dict[str, Any] | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None

    @property
    def includes_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def shows_reasoning(self) -> bool:
        is_excluded = self.reasoning is not None and self.reasoning.exclude
        return not is_excluded and not (self.thinking and self.thinking.display == "omitted")

    def parsed(self) -> GatewayRequest:
        """The request, parsed. Raises ApiError if it asks for what cannot be served."""
        refuse(self, REFUSED)
        tools = tools_of(self.tools, self.tool_choice)
        guide = guide_of(self.response_format, has_tools=bool(tools))
        options, effort = self._thinking()
        forced = forced_call(self.tool_choice, tools)
        limits = [self.max_completion_tokens, self.max_tokens]
        return self.request(
            _conversation(self.messages),
            choices=self.n or 1,
            max_tokens=min((limit for limit in limits if limit is not None), default=None),
            effort=effort,
            stop=stops(self.stop),
            guide=guide,
            tools=tools,
            forced=forced,
            parallel_calls=self.parallel_tool_calls is not False,
            options=options,
            ignored=ignored_fields(self, HARMLESS, *unstreamed(self.stream_options, self.stream)),
        )

    def _thinking(self) -> tuple[Options, Effort | None]:
        thinking, reasoning = self.thinking, self.reasoning or ReasoningConfig()
        return bounded_thinking(
            self.trigreason or Options(),
            self.reasoning_effort or reasoning.effort,
            self.thinking_token_budget,
            thinking.budget_tokens if thinking else None,
            reasoning.max_tokens,
            is_off=(
                self.thinking_token_budget == 0
                or (thinking is not None and thinking.type == "disabled")
                or reasoning.enabled is False
            ),
        )


def _conversation(given: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The messages. Raises ApiError for one that is none, or the result of a call that is none."""
    messages: list[Message] = []
    called: set[str] = set()
    for index, each in enumerate(given):
        message = _message(each, f"messages[{index}]")
        called.update(call.id for call in message.tool_calls)
        if message.role == "tool" and message.tool_call_id not in called:
            field = f"messages[{index}].tool_call_id"
            raise invalid(f"{field}: no message before it calls a tool with this id", field)
        messages.append(message)
    return tuple(messages)


def _message(message: ChatMessage, where: str) -> Message:
    role = ROLES.get(message.role)
    if role is None:
        raise invalid(f"{where}.role: must be one of {', '.join(ROLES)}", f"{where}.role")
    if message.tool_calls and role != "assistant":
        raise invalid(f"{where}.tool_calls: only an assistant calls", f"{where}.tool_calls")
    content = message.content
    if content is None and role == "assistant":
        content = ""
    reasoning = message.reasoning_content or message.reasoning or _told(message.reasoning_details)
    if not message.tool_calls or not isinstance(reasoning, str):
        reasoning = ""
    return Message(
        role,
        plain_text(content, f"{where}.content", ("text",)),
        calls_of(message.tool_calls, f"{where}.tool_calls"),
        plain_text(message.tool_call_id or "", f"{where}.tool_call_id", ()),
        plain_text(reasoning, f"{where}.reasoning_content", ()),
    )


def _told(details: Any) -> str:
    """The reasoning in OpenRouter's ``reasoning_details``; other servers' signatures are none."""
    entries = details if isinstance(details, list) else []
    texts = [entry.get("text") for entry in entries if isinstance(entry, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def stops(stop: str | list[str] | None) -> tuple[str, ...]:
    """The texts of ``stop``. Raises ApiError if there are too many, or one is empty."""
    texts = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(texts) > 4:
        raise invalid(f"stop: at most 4 texts, not {len(texts)}", "stop")
    if not all(texts):
        raise invalid("stop: an empty text would stop everything", "stop")
    return texts
