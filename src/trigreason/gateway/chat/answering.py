"""A chat completion, streamed or in one piece, in OpenAI's format.

OpenAI's API has no field for reasoning. Clients read ``reasoning_content`` (as SGLang, llama.cpp
and DeepSeek call it), ``reasoning`` (vLLM, Ollama, OpenRouter), or whichever is present; some
concatenate both, so the default is to send only one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from trigreason.configuration.gateway import ReasoningField
from trigreason.events import AnswerText, ThinkingText
from trigreason.gateway.account import COMMENT, account, chat_usage, event_to_json
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.tools import GatewayEvent, ToolCalled
from trigreason.reasoning import ToolCall

_encode = msgspec.json.encode
DONE = b"data: [DONE]\n\n"
_FIELDS: dict[ReasoningField, tuple[str, ...]] = {
    "reasoning_content": ("reasoning_content",),
    "reasoning": ("reasoning",),
    "both": ("reasoning_content", "reasoning"),
}


def sse(value: Any) -> bytes:
    """A server-sent event."""
    return b"data: " + _encode(value) + b"\n\n"


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


class ChatAnswer:
    """Renders one exchange; ``with_events`` adds the run's events to the text.

    Without a ``reasoning_field`` the response has no reasoning.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        include_usage: bool,
        with_events: bool,
        reasoning_field: ReasoningField | None = "reasoning_content",
    ) -> None:
        self._exchange = exchange
        self._reasoning = () if reasoning_field is None else _FIELDS[reasoning_field]
        self._include_usage = include_usage
        self._with_events = with_events
        self._thinking: dict[int, list[str]] = {}
        self._answers: dict[int, list[str]] = {}
        self._calls: dict[int, list[dict[str, Any]]] = {}
        self._events: dict[int, list[dict[str, Any]]] = {}
        self._begun: set[int] = set()
        head = _encode(self._head())[:-1]
        self._prefix = b"data: " + head + b',"choices":[{"index":'

    def stream(self, run: ChoiceRun, event: GatewayEvent) -> bytes:
        """The chunks for an event; empty for most events."""
        match event:
            case ThinkingText() if not self._reasoning:
                return b""
            case ThinkingText(_, text):
                written = _encode(text)
                named = (b'"%b":%b' % (name.encode(), written) for name in self._reasoning)
                delta = b"{" + b",".join(named) + b"}"
            case AnswerText(_, text):
                delta = b'{"content":' + _encode(text) + b"}"
            case ToolCalled():
                return self._beginning(run) + self._call_chunks(run, event)
            case _:
                return self._event_chunk(run, event)
        return self._beginning(run) + self._chunk(run, delta)

    def end(self) -> bytes:
        """The last chunks: finish reasons, usage, the ``trigreason`` object, ``[DONE]``."""
        runs = self._exchange.runs
        chunks = [self._beginning(run) + self._finished(run) for run in runs[:-1]]
        last = runs[-1]
        chunks.append(self._beginning(last))
        final: dict[str, Any] = {"choices": [self._finish(last)]}
        if self._include_usage:
            chunks.append(self._finished(last))
            final = {"choices": [], "usage": chat_usage(self._exchange)}
        chunks.append(sse(self._head() | final | {"trigreason": account(self._exchange)}))
        return b"".join(chunks) + DONE

    def failure(self, error: ApiError) -> bytes:
        """The error that ends a stream, with its usage; OpenAI's clients raise it."""
        return sse(error.body | {"trigreason": account(self._exchange)}) + DONE

    def gather(self, run: ChoiceRun, event: GatewayEvent) -> None:
        """Collect an event for :meth:`whole`."""
        match event:
            case ThinkingText(_, text):
                self._thinking.setdefault(run.index, []).append(text)
            case AnswerText(_, text):
                self._answers.setdefault(run.index, []).append(text)
            case ToolCalled(_, call):
                self._calls.setdefault(run.index, []).append(_call(call))
            case _ if self._with_events and (entry := event_to_json(event, run.trace)):
                self._events.setdefault(run.index, []).append(entry)

    def whole(self) -> bytes:
        """The body of a response that is not streamed."""
        exchange = self._exchange
        choices = []
        for run in exchange.runs:
            thinking = "".join(self._thinking.get(run.index, []))
            content = "".join(self._answers.get(run.index, []))
            calls = self._calls.get(run.index)
            message: dict[str, Any] = {
                "role": "assistant",
                "content": content or None if calls else content,
                **dict.fromkeys(self._reasoning, thinking),
                "refusal": None,
                **({"tool_calls": calls} if calls else {}),
            }
            choices.append(
                {
                    "index": run.index,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": run.finish_reason,
                }
            )
        trigreason = account(exchange) | self._told_events()
        head = self._head() | {"object": "chat.completion"}
        return _encode(
            head | {"choices": choices, "usage": chat_usage(exchange), "trigreason": trigreason}
        )

    def keep_alive(self) -> bytes:
        """A comment, which clients skip."""
        return COMMENT

    def refusal(self, error: ApiError) -> tuple[int, bytes]:
        """The status and the body of an error instead of an answer."""
        return error.status, _encode(error.body)

    def _told_events(self) -> dict[str, Any]:
        """The ``events`` of the ``trigreason`` object; none unless they were asked for."""
        if not self._with_events:
            return {}
        events = [self._events.get(run.index, []) for run in self._exchange.runs]
        return {"events": events[0] if len(events) == 1 else events}

    def _head(self) -> dict[str, Any]:
        return {
            "id": self._exchange.id,
            "object": "chat.completion.chunk",
            "created": int(self._exchange.created),
            "model": self._exchange.model,
            "system_fingerprint": None,
        }

    def _chunk(self, run: ChoiceRun, delta: bytes) -> bytes:
        index = b"%d" % run.index
        return b"".join(
            (
                self._prefix,
                index,
                b',"delta":',
                delta,
                b',"logprobs":null,"finish_reason":null}]',
                b',"usage":null}\n\n' if self._include_usage else b"}\n\n",
            )
        )

    def _call_chunks(self, run: ChoiceRun, event: ToolCalled) -> bytes:
        """A call's id and name, and then its arguments."""
        call = _call(event.call)
        arguments = {"index": event.index, "function": {"arguments": event.call.arguments}}
        head = {"index": event.index} | call | {"function": call["function"] | {"arguments": ""}}
        parts = (head, arguments)
        return b"".join(self._chunk(run, _encode({"tool_calls": [part]})) for part in parts)

    def _beginning(self, run: ChoiceRun) -> bytes:
        if run.index in self._begun:
            return b""
        self._begun.add(run.index)
        return self._chunk(run, b'{"role":"assistant","content":""}')

    def _event_chunk(self, run: ChoiceRun, event: GatewayEvent) -> bytes:
        entry = event_to_json(event, run.trace) if self._with_events else None
        if entry is None:
            return b""
        choice = self._finish(run) | {"logprobs": None, "finish_reason": None}
        trigreason = {"trigreason": {"event": entry}}
        return self._beginning(run) + sse(self._head() | self._of(choice) | trigreason)

    def _finish(self, run: ChoiceRun) -> dict[str, Any]:
        reason = run.finish_reason
        return {"index": run.index, "delta": {}, "logprobs": None, "finish_reason": reason}

    def _finished(self, run: ChoiceRun) -> bytes:
        return sse(self._head() | self._of(self._finish(run)))

    def _of(self, choice: dict[str, Any]) -> dict[str, Any]:
        """The fields of a chunk with one choice; usage is null in all chunks but the last."""
        return {"choices": [choice]} | ({"usage": None} if self._include_usage else {})
