"""Finds the calls of tools in an answer while it is streamed.

A call is passed on when all of it is there and it is valid: a known tool, and arguments that are a
JSON object. Anything else is text, as the model wrote it, so that there is never half a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from trigreason.engines.tool_forms import ToolForm
from trigreason.engines.tool_scans import Pending, Schemas, WrittenCall
from trigreason.reasoning.tags import unfinished_tag

_CLOSERS = frozenset("}]>;")


class CallReader:
    """Splits an answer in the given forms into text and calls of the tools in ``schemas``.

    White space around calls is dropped.
    """

    def __init__(self, forms: Iterable[ToolForm], schemas: Schemas) -> None:
        self._forms = tuple({form.scan: form for form in forms}.values())
        self._words = [word for form in self._forms for word in form.words]
        self._markers = [re.compile(form.marker) for form in self._forms]
        self._schemas = schemas
        self._text = ""
        self._sent = 0
        self._from = 0
        self._waits = False
        self._behind_call = False

    def push(self, text: str) -> list[str | WrittenCall]:
        """Take text; return what is certain."""
        self._text += text
        if self._waits and not _CLOSERS.intersection(text):
            return []
        return self._read(is_complete=False)

    def finish(self) -> list[str | WrittenCall]:
        """The answer is complete: return the rest."""
        return self._read(is_complete=True)

    def _read(self, *, is_complete: bool) -> list[str | WrittenCall]:
        pieces: list[str | WrittenCall] = []
        self._waits = False
        while (marker := self._next_marker()) is not None:
            form, found = marker
            scanned = form.scan(self._text, found.end(), self._schemas, is_complete)
            if scanned is None:
                self._from = found.end()
                continue
            pieces += self._text_to(found.start(), keeps_space=False)
            if isinstance(scanned, Pending):
                self._from, self._waits = found.start(), True
                return pieces
            pieces += scanned.calls
            self._sent = self._from = scanned.end
            self._behind_call = True
        held = 0 if is_complete else unfinished_tag(self._text[self._from :], self._words)
        pieces += self._text_to(len(self._text) - held, keeps_space=is_complete)
        return pieces

    def _next_marker(self) -> tuple[ToolForm, re.Match[str]] | None:
        found = [
            (form, match)
            for form, pattern in zip(self._forms, self._markers, strict=True)
            if (match := pattern.search(self._text, self._from))
        ]
        return min(found, key=lambda each: each[1].start(), default=None)

    def _text_to(self, end: int, *, keeps_space: bool) -> list[str]:
        """The text that was not passed on yet, without white space that may border on a call."""
        text = self._text[self._sent : end]
        if self._behind_call:
            blank = len(text) - len(text.lstrip())
            self._sent += blank
            text = text[blank:]
        text = text if keeps_space else text.rstrip()
        if not text:
            return []
        self._sent += len(text)
        self._from = max(self._from, self._sent)
        self._behind_call = False
        return [text]
