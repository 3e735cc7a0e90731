"""A response, as events or in one piece, in OpenAI's format."""

from __future__ import annotations

from typing import Any

import msgspec

from trigreason.events import AnswerText, ThinkingText
from trigreason.gateway.account import COMMENT, event_to_json
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.responses.body import begun, ended, failed, status_of
from trigreason.gateway.responses.items import (
    MESSAGE,
    REASONING,
    CallItem,
    Kind,
    OutputItem,
    Status,
    TextItem,
)
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.gateway.responses.state import ResponseState
from trigreason.gateway.tools import GatewayEvent, ToolCalled
from trigreason.reasoning import ToolCall

_encode = msgspec.json.encode


class ResponsesAnswer:
    """Renders an exchange with one run, and leaves its items for later requests.

    Thinking and answer are separate items of one part; an item of text is closed when the next one
    opens. Every call of a tool is an item. Events are numbered from 0.
    """

    def __init__(self, exchange: Exchange, request: ResponsesRequest, state: ResponseState) -> None:
        self._exchange = exchange
        self._request = request
        self._state = state
        self._with_events = bool(request.trigreason and request.trigreason.events)
        self._items: list[OutputItem] = []
        self._events: list[dict[str, Any]] = []
        self._number = 0
        self._delta = b""

    def stream(self, run: ChoiceRun, event: GatewayEvent) -> bytes:
        """The server-sent events for an event of the run; empty for most."""
        match event:
            case ThinkingText(_, text):
                return self._text(REASONING, text)
            case AnswerText(_, text):
                return self._text(MESSAGE, text)
            case ToolCalled(_, call):
                return self._called(call)
            case _ if self._with_events and (entry := event_to_json(event, run.trace)):
                return self._beginning() + self._event("response.trigreason.event", event=entry)
            case _:
                return b""

    def end(self) -> bytes:
        """The last events: they close the open item and repeat the whole response."""
        status = status_of(self._exchange)
        events = self._beginning()
        if status is Status.COMPLETED and not self._has_calls:
            events += self._opened(MESSAGE)
        events += self._closed(status)
        body = self._ended()
        return events + self._event(f"response.{status}", response=body)

    def failure(self, error: ApiError) -> bytes:
        """The event that ends a failed stream, with the output so far."""
        body = failed(self._exchange, self._request, self._items, error)
        return self._beginning() + self._event("response.failed", response=body)

    def gather(self, run: ChoiceRun, event: GatewayEvent) -> None:
        """Collect an event for :meth:`whole`."""
        match event:
            case ThinkingText(_, text):
                self._item(REASONING).texts.append(text)
            case AnswerText(_, text):
                self._item(MESSAGE).texts.append(text)
            case ToolCalled(_, call):
                self._call_item(call)
            case _ if self._with_events and (entry := event_to_json(event, run.trace)):
                self._events.append(entry)

    def whole(self) -> bytes:
        """The body of a response that is not streamed."""
        if status_of(self._exchange) is Status.COMPLETED and not self._has_calls:
            self._item(MESSAGE)
        body = self._ended()
        if self._with_events:
            body["trigreason"]["events"] = self._events
        return _encode(body)

    def keep_alive(self) -> bytes:
        """A comment, which clients skip."""
        return COMMENT

    def refusal(self, error: ApiError) -> tuple[int, bytes]:
        """The status and the body of an error instead of an answer."""
        return error.status, _encode(error.body)

    @property
    def _has_calls(self) -> bool:
        return any(isinstance(item, CallItem) for item in self._items)

    def _ended(self) -> dict[str, Any]:
        """The whole response, whose items are kept unless the client wants none to be."""
        body = ended(self._exchange, self._request, self._items)
        if self._request.store is not False:
            self._state.keep(body["output"])
        return body

    def _item(self, kind: Kind) -> TextItem:
        """The last item if it is of this kind, otherwise a new one."""
        if (item := self._open) and item.kind is kind:
            return item
        signs = kind is REASONING and self._request.signs_reasoning
        item = TextItem(kind, self._exchange.id, len(self._items))
        item.signed = self._state.signed if signs else None
        self._items.append(item)
        return item

    def _call_item(self, call: ToolCall) -> CallItem:
        item = CallItem(call, self._exchange.id, len(self._items))
        self._items.append(item)
        return item

    @property
    def _open(self) -> TextItem | None:
        """The last item if it is of text, to which more can be added."""
        last = self._items[-1] if self._items else None
        return last if isinstance(last, TextItem) else None

    def _text(self, kind: Kind, text: str) -> bytes:
        events = self._beginning() + self._opened(kind)
        self._item(kind).texts.append(text)
        number = self._next()
        return events + self._delta + b'%d,"delta":%b}\n\n' % (number, _encode(text))

    def _called(self, call: ToolCall) -> bytes:
        """The events of a call, whose arguments come in one piece."""
        events = self._beginning() + self._closed(Status.COMPLETED)
        item = self._call_item(call)
        place = {"item_id": item.id, "output_index": item.index}
        kind, told = "response.function_call_arguments", call.arguments
        return b"".join(
            (
                events,
                self._item_event("added", item, Status.IN_PROGRESS),
                self._event(f"{kind}.delta", **place, delta=told),
                self._event(f"{kind}.done", **place, name=call.name, arguments=told),
                self._item_event("done", item, Status.COMPLETED),
            )
        )

    def _beginning(self) -> bytes:
        if self._number:
            return b""
        body = begun(self._exchange, self._request)
        return self._event("response.created", response=body) + self._event(
            "response.in_progress", response=body
        )

    def _opened(self, kind: Kind) -> bytes:
        """The events that open an item of this kind; empty if it is the open one."""
        if (item := self._open) and item.kind is kind:
            return b""
        events = self._closed(Status.COMPLETED)
        item = self._item(kind)
        self._delta = _delta(item)
        return b"".join(
            (
                events,
                self._item_event("added", item, Status.IN_PROGRESS),
                self._event("response.content_part.added", **item.place, part=item.part("")),
            )
        )

    def _closed(self, status: Status) -> bytes:
        """The events that close the open item; empty if there is none."""
        if (item := self._open) is None:
            return b""
        text, place, extra = item.text, item.place, item.kind.of_event
        return b"".join(
            (
                self._event(f"response.{item.kind.part}.done", **place, text=text, **extra),
                self._event("response.content_part.done", **place, part=item.part(text)),
                self._item_event("done", item, status),
            )
        )

    def _item_event(self, what: str, item: OutputItem, status: Status) -> bytes:
        kind = f"response.output_item.{what}"
        return self._event(kind, output_index=item.index, item=item.body(status))

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = _encode({"type": kind, "sequence_number": self._next()} | fields)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def _next(self) -> int:
        number, self._number = self._number, self._number + 1
        return number


def _delta(item: TextItem) -> bytes:
    """The constant beginning of an item's delta events, before number and text."""
    kind = f"response.{item.kind.part}.delta"
    head = _encode({"type": kind} | item.place | dict(item.kind.of_event))[:-1]
    return b'event: %b\ndata: %b,"sequence_number":' % (kind.encode(), head)
