"""A response, as events or in one piece, in OpenAI's format."""

from __future__ import annotations

from typing import Any

import msgspec

from trigreason.events import AnswerText, ThinkingText
from trigreason.gateway.account import COMMENT, event_to_json
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import ChoiceRun, Exchange
from trigreason.gateway.responses.body import begun, ended, failed, status_of
from trigreason.gateway.responses.items import MESSAGE, REASONING, Kind, OutputItem, Status
from trigreason.gateway.responses.request import ResponsesRequest
from trigreason.gateway.tools import GatewayEvent

_encode = msgspec.json.encode


class ResponsesAnswer:
    """Renders an exchange with one run.

    Thinking and answer are separate items of one part; an item is closed when the next one
    opens. Events are numbered from 0.
    """

    def __init__(self, exchange: Exchange, request: ResponsesRequest) -> None:
        self._exchange = exchange
        self._request = request
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
            case _ if self._with_events and (entry := event_to_json(event)):
                return self._beginning() + self._event("response.trigreason.event", event=entry)
            case _:
                return b""

    def end(self) -> bytes:
        """The last events: they close the open item and repeat the whole response."""
        status = status_of(self._exchange)
        events = self._beginning()
        if status is Status.COMPLETED:
            events += self._opened(MESSAGE)
        events += self._closed(status)
        body = ended(self._exchange, self._request, self._items)
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
            case _ if self._with_events and (entry := event_to_json(event)):
                self._events.append(entry)

    def whole(self) -> bytes:
        """The body of a response that is not streamed."""
        if status_of(self._exchange) is Status.COMPLETED:
            self._item(MESSAGE)
        body = ended(self._exchange, self._request, self._items)
        if self._with_events:
            body["trigreason"]["events"] = self._events
        return _encode(body)

    def keep_alive(self) -> bytes:
        """A comment, which clients skip."""
        return COMMENT

    def refusal(self, error: ApiError) -> tuple[int, bytes]:
        """The status and the body of an error instead of an answer."""
        return error.status, _encode(error.body)

    def _item(self, kind: Kind) -> OutputItem:
        """The last item if it is of this kind, otherwise a new one."""
        if not self._is_open(kind):
            self._items.append(OutputItem(kind, self._exchange.id, len(self._items)))
        return self._items[-1]

    def _is_open(self, kind: Kind) -> bool:
        return bool(self._items) and self._items[-1].kind is kind

    def _text(self, kind: Kind, text: str) -> bytes:
        events = self._beginning() + self._opened(kind)
        self._items[-1].texts.append(text)
        number = self._next()
        return events + self._delta + b'%d,"delta":%b}\n\n' % (number, _encode(text))

    def _beginning(self) -> bytes:
        if self._number:
            return b""
        body = begun(self._exchange, self._request)
        return self._event("response.created", response=body) + self._event(
            "response.in_progress", response=body
        )

    def _opened(self, kind: Kind) -> bytes:
        """The events that open an item of this kind; empty if it is the open one."""
        if self._is_open(kind):
            return b""
        events = self._closed(Status.COMPLETED)
        item = self._item(kind)
        self._delta = _delta(item)
        body = item.body(Status.IN_PROGRESS)
        return b"".join(
            (
                events,
                self._event("response.output_item.added", output_index=item.index, item=body),
                self._event("response.content_part.added", **item.place, part=item.part("")),
            )
        )

    def _closed(self, status: Status) -> bytes:
        """The events that close the last item; empty if there is none."""
        if not self._items:
            return b""
        item = self._items[-1]
        text, place, extra = item.text, item.place, item.kind.of_event
        return b"".join(
            (
                self._event(f"response.{item.kind.part}.done", **place, text=text, **extra),
                self._event("response.content_part.done", **place, part=item.part(text)),
                self._event(
                    "response.output_item.done", output_index=item.index, item=item.body(status)
                ),
            )
        )

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = _encode({"type": kind, "sequence_number": self._next()} | fields)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def _next(self) -> int:
        number, self._number = self._number, self._number + 1
        return number


def _delta(item: OutputItem) -> bytes:
    """The constant beginning of an item's delta events, before number and text."""
    kind = f"response.{item.kind.part}.delta"
    head = _encode({"type": kind} | item.place | dict(item.kind.of_event))[:-1]
    return b'event: %b\ndata: %b,"sequence_number":' % (kind.encode(), head)
