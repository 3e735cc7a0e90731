"""A message, as events or in one piece, in Anthropic's format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from trigreason.events import AnswerText, ThinkingText
from trigreason.gateway.account import account, chat_usage, event_to_json
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.messages.failing import anthropic_error, anthropic_status
from trigreason.gateway.messages.request import MessagesRequest
from trigreason.gateway.tools import GatewayEvent, ToolCalled
from trigreason.reasoning import Message, ToolCall, prompt_tokens

_encode = msgspec.json.encode

BlockKind = Literal["thinking", "text", "tool_use"]

_STOP_REASONS = {"length": "max_tokens", "tool_calls": "tool_use"}


class MessagesAnswer:
    """Renders an exchange with one run.

    Its content is a block of thinking, if the request asks to see it, text, and calls of tools. The
    signature of a thinking is the id of the message; nobody verifies it.
    """

    def __init__(
        self, exchange: Exchange, request: MessagesRequest, messages: Sequence[Message]
    ) -> None:
        self._exchange = exchange
        self._shows_thinking = request.shows_thinking
        self._omits_thinking = request.omits_thinking
        self._with_events = bool(request.trigreason and request.trigreason.events)
        self._prompt_estimate = prompt_tokens(messages, request.offered)
        self._content: list[tuple[dict[str, Any], list[str]]] = []
        self._open: BlockKind | None = None
        self._opened = 0
        self._has_begun = False
        self._events: list[dict[str, Any]] = []

    def stream(self, run: ChoiceRun, event: GatewayEvent) -> bytes:
        """The server-sent events for an event of the run; empty for most."""
        match event:
            case ThinkingText(_, text):
                return self._delta("thinking", text) if self._shows_thinking else b""
            case AnswerText(_, text):
                return self._delta("text", text)
            case ToolCalled(_, call):
                begun = self._beginning() + self._opening(_tool_use(call))
                return begun + self._block_delta(
                    "input_json_delta", {"partial_json": call.arguments}
                )
            case _ if self._with_events and (entry := event_to_json(event, run.trace)):
                return self._beginning() + _sse("trigreason", event=entry)
            case _:
                return b""

    def end(self) -> bytes:
        """The last events: they close the open block, and tell stop reason and usage."""
        events = self._beginning()
        if self._needs_text and self._open != "text":
            events += self._opening(self._block("text"))
        delta = self._ending()
        usage, own = self._usage(), account(self._exchange)
        return b"".join(
            (
                events,
                self._closing(),
                _sse("message_delta", delta=delta, usage=usage, trigreason=own),
                _sse("message_stop"),
            )
        )

    def failure(self, error: ApiError) -> bytes:
        """The error that ends a stream."""
        fields = anthropic_error(error, self._exchange.id)
        return _sse("error", **fields, trigreason=account(self._exchange))

    def gather(self, run: ChoiceRun, event: GatewayEvent) -> None:
        """Collect an event for :meth:`whole`."""
        match event:
            case ThinkingText(_, text):
                if self._shows_thinking:
                    self._gather("thinking", "" if self._omits_thinking else text)
            case AnswerText(_, text):
                self._gather("text", text)
            case ToolCalled(_, call):
                called = _tool_use(call) | {"input": msgspec.json.decode(call.arguments)}
                self._content.append((called, []))
            case _ if self._with_events and (entry := event_to_json(event, run.trace)):
                self._events.append(entry)

    def whole(self) -> bytes:
        """The body of a response that is not streamed."""
        if self._needs_text:
            self._gather("text", "")
        content = [
            block if block["type"] == "tool_use" else block | {block["type"]: "".join(texts)}
            for block, texts in self._content
        ]
        own = account(self._exchange)
        if self._with_events:
            own["events"] = self._events
        return _encode(self._head() | {"content": content} | self._ending() | {"trigreason": own})

    def _gather(self, kind: BlockKind, text: str) -> None:
        """Add text to the last block, or to a new one if that is of another kind."""
        if not self._content or self._content[-1][0]["type"] != kind:
            signature = self._signature if kind == "thinking" else {}
            self._content.append((self._block(kind) | signature, []))
        self._content[-1][1].append(text)

    def keep_alive(self) -> bytes:
        """A ping, which follows the beginning of the message as Anthropic's do."""
        return self._beginning() + _sse("ping")

    def refusal(self, error: ApiError) -> tuple[int, bytes]:
        """The status and the body of an error instead of a message."""
        return anthropic_status(error), _encode(anthropic_error(error, self._exchange.id))

    @property
    def _signature(self) -> dict[str, str]:
        return {"signature": self._exchange.id}

    @property
    def _needs_text(self) -> bool:
        """Whether there is a block of text even if nothing was said."""
        return self._exchange.runs[0].finish_reason == "stop"

    def _head(self) -> dict[str, Any]:
        exchange = self._exchange
        return {
            "id": exchange.id,
            "type": "message",
            "role": "assistant",
            "model": exchange.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self._usage() | {"service_tier": "standard"},
        }

    def _ending(self) -> dict[str, Any]:
        run = self._exchange.runs[0]
        reason = _STOP_REASONS.get(run.finish_reason or "", "end_turn")
        if run.stop_text is None or reason == "tool_use":
            return {"stop_reason": reason, "stop_sequence": None}
        return {"stop_reason": "stop_sequence", "stop_sequence": run.stop_text}

    def _usage(self) -> dict[str, Any]:
        """:func:`chat_usage` in Anthropic's terms: cached tokens are no part of the input's.

        The prompt is estimated as long as no model has read it.
        """
        usage = chat_usage(self._exchange)
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        thinking = usage["completion_tokens_details"]["reasoning_tokens"]
        return {
            "input_tokens": (usage["prompt_tokens"] or self._prompt_estimate) - cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached,
            "output_tokens": usage["completion_tokens"],
            "output_tokens_details": {"thinking_tokens": thinking},
        }

    def _beginning(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return _sse("message_start", message=self._head())

    def _delta(self, kind: BlockKind, text: str) -> bytes:
        events = self._beginning()
        if self._open != kind:
            events += self._opening(self._block(kind))
        if kind == "thinking" and self._omits_thinking:
            return events
        return events + self._block_delta(f"{kind}_delta", {kind: text})

    def _opening(self, block: dict[str, Any]) -> bytes:
        """The events that close the open block and open this one."""
        events = self._closing()
        self._open, self._opened = block["type"], self._opened + 1
        return events + _sse("content_block_start", index=self._index, content_block=block)

    def _closing(self) -> bytes:
        """The events that close the open block; empty if none is open."""
        if self._open is None:
            return b""
        signed = self._open == "thinking"
        events = self._block_delta("signature_delta", self._signature) if signed else b""
        self._open = None
        return events + _sse("content_block_stop", index=self._index)

    @property
    def _index(self) -> int:
        """The place of the block that was opened last."""
        return self._opened - 1

    @staticmethod
    def _block(kind: BlockKind) -> dict[str, str]:
        """A block at its beginning."""
        empty = {"type": kind, kind: ""}
        return empty | ({"signature": ""} if kind == "thinking" else {})

    def _block_delta(self, kind: str, fields: dict[str, str]) -> bytes:
        return _sse("content_block_delta", index=self._index, delta={"type": kind} | fields)


def _tool_use(call: ToolCall) -> dict[str, Any]:
    """A block that calls a tool, at its beginning."""
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}


def _sse(kind: str, **fields: Any) -> bytes:
    """An event, whose name is also its type."""
    data = _encode({"type": kind} | fields)
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
