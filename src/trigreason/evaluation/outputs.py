"""Converts Inspect's messages into those of a run, and a trace into Inspect's output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    Content,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)

from trigreason.evaluation.arms import Arm
from trigreason.reasoning import Author, Message, StopReason, Trace, Trigger, trace_to_json

PROVIDER = "trigreason"
"""The prefix that makes a pair's name the name of an Inspect model."""

TRACE = "trace"
"""The metadata key of a trace; ``trace_from_json`` reads its value."""

RUN = "run"
"""The metadata key of the trace's summary."""

ARM = "arm"
"""The metadata key of the arm's arguments."""


def conversation(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The messages as text, without an assistant's thinking in earlier turns.

    Raises:
        ValueError: a message holds something else, such as an image or a tool's result.
    """
    return tuple(Message(message.role, _text(message)) for message in messages)


def _text(message: ChatMessage) -> str:
    if isinstance(message, ChatMessageTool) or getattr(message, "tool_calls", None):
        raise ValueError("the conversation holds tool calls, and a pair calls no tools")
    if isinstance(message.content, str):
        return message.content
    parts = [part for part in message.content if not isinstance(part, ContentReasoning)]
    for part in parts:
        if not isinstance(part, ContentText):
            raise ValueError(f"the conversation holds {part.type}, and a pair reads text alone")
    return "\n".join(part.text for part in parts if isinstance(part, ContentText))


def output_of(trace: Trace, model: str, arm: Arm) -> ModelOutput:
    """The output of ``model`` (its name) as ``arm``; its metadata hold the trace and a summary."""
    thinking: list[Content] = []
    if trace.thinking and not trace.in_the_open:
        thinking.append(ContentReasoning(reasoning=trace.thinking.strip()))
    content = [*thinking, ContentText(text=trace.reply)]
    message = ChatMessageAssistant(content=content, model=model, source="generate")
    truncated = trace.stop is StopReason.TRUNCATED
    return ModelOutput(
        model=model,
        choices=[
            ChatCompletionChoice(message=message, stop_reason="max_tokens" if truncated else "stop")
        ],
        usage=_usage_of(trace),
        metadata={RUN: summary(trace), ARM: arm.to_args(), TRACE: trace_to_json(trace)},
    )


def thinking_in(output: ModelOutput) -> str:
    """The thinking in the output of a pair or another model; empty if there is none."""
    content = output.message.content if output.choices else ""
    if isinstance(content, str):
        return ""
    return "\n\n".join(part.reasoning for part in content if isinstance(part, ContentReasoning))


def _usage_of(trace: Trace) -> ModelUsage:
    """Tokens of all requests to both models, without counts that a server did not report.

    Reasoning tokens are all generated tokens outside the reply, including drafts and scores.
    """
    uses = [trace.use(author) for author in Author]
    cached = sum(use.cached_tokens or 0 for use in uses)
    read = sum(use.prompt_tokens or 0 for use in uses)
    written = sum(use.completion_tokens for use in uses)
    return ModelUsage(
        input_tokens=read - cached,
        input_tokens_cache_read=cached,
        output_tokens=written,
        reasoning_tokens=written - trace.reply_tokens,
        total_tokens=read + written,
        total_cost=trace.usd,
    )


def summary(trace: Trace) -> dict[str, Any]:
    """A run's tokens, requests, seconds, and USD if the pair has prices; None for the unknown."""
    srm, lrm = trace.use(Author.SRM), trace.use(Author.LRM)
    handed = trace.handovers_by_trigger
    return {
        "method": trace.method,
        "smt": trace.smt,
        "steps": len(trace.standing),
        "thinking_tokens": trace.thinking_tokens,
        "answer_tokens": trace.answer_tokens,
        "drafts": len(trace.drafts),
        "draft_tokens": srm.draft_tokens + lrm.draft_tokens,
        "srm_requests": srm.requests,
        "lrm_requests": lrm.requests,
        "srm_tokens": srm.completion_tokens,
        "lrm_tokens": lrm.completion_tokens,
        "handovers": {trigger.value: handed.get(trigger, 0) for trigger in Trigger},
        "stop": trace.stop,
        "limit": trace.limit,
        "seconds": trace.seconds,
        **({"usd": trace.usd} if trace.prices else {}),
    }
