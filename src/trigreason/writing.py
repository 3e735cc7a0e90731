"""What one author is writing in one stretch: the step under way, and then the answer."""

from __future__ import annotations

from trigreason.events import AnswerText, Event, ThinkingText
from trigreason.reasoning import Author, Step, StepCutter, join_text
from trigreason.reasoning.tokens import unfinished_bytes


class AnswerWriter:
    """The answer as it comes, without white space around it and never half a character."""

    def __init__(self, author: Author, room: int) -> None:
        self.author = author
        self.tokens = 0
        self._room = room
        self._given: list[str] = []
        self._held = ""

    @property
    def text(self) -> str:
        return "".join(self._given)

    @property
    def is_full(self) -> bool:
        return self.tokens >= self._room

    def push(self, text: str, tokens: int = 1) -> list[Event]:
        """Take text; give out what is certain to belong to the answer."""
        self.tokens += tokens
        self._held += text
        if not self._given:
            self._held = self._held.lstrip()
        settled = len(self._held) - unfinished_bytes(self._held)
        settled = len(self._held[:settled].rstrip())
        return self._give(settled)

    def finish(self) -> list[Event]:
        """Nothing more will come: give out what was held back, stray bytes as U+FFFD."""
        return self._give(len(self._held.rstrip()))

    def _give(self, length: int) -> list[Event]:
        if not length:
            return []
        text = join_text([self._held[:length]])
        self._held = self._held[length:]
        self._given.append(text)
        return [AnswerText(self.author, text)]


class StretchWriter:
    """Cuts one stream into steps, knows what of the open step was given out, then the answer.

    ``as_it_comes`` gives thinking out while it is written; without it a step's text is held back
    until the step stands. ``failure`` is what kept a step from being decided on; it is raised once
    what was written has been told.
    """

    def __init__(self, author: Author, step_tokens: int, *, as_it_comes: bool) -> None:
        self.author = author
        self.cutter = StepCutter(author, max_tokens=step_tokens)
        self.answer: AnswerWriter | None = None
        self.done = False
        self.failure: Exception | None = None
        self._as_it_comes = as_it_comes
        self._shown = 0

    def show(self) -> list[Event]:
        """The part of the step under way that can be given out now."""
        if not self._as_it_comes or self.cutter.closed:
            return []
        text = self.cutter.settled_text
        if len(text) <= self._shown:
            return []
        fresh, self._shown = text[self._shown :], len(text)
        return [ThinkingText(self.author, fresh)]

    def show_rest(self, step: Step) -> list[Event]:
        """What was not given out yet of a step that stands."""
        rest, self._shown = step.text[self._shown :], 0
        return [ThinkingText(self.author, rest)] if rest else []

    def begin_answer(self, room: int) -> list[Event]:
        """The thinking is closed and stands; the stream goes on with the answer."""
        self.answer = AnswerWriter(self.author, room)
        return self.answer.push(self.cutter.remainder, tokens=0)
