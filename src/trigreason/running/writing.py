"""The text of one author in one stretch: the unfinished step, and then the answer."""

from __future__ import annotations

import re
from collections import deque

from trigreason.events import AnswerText, Event, ThinkingText
from trigreason.reasoning import Author, Step, StepCutter, join_text
from trigreason.reasoning.steps import END_OF_THINKING, inside_block
from trigreason.reasoning.tags import THINK_TAGS, unfinished_tag
from trigreason.reasoning.tokens import unfinished_bytes

_CHARACTER_BYTES = 4
_TAG = re.compile("|".join(map(re.escape, THINK_TAGS)))
_OPEN_QUOTE = re.compile(r"""(?:^|[\s(\[{])["'`\u201c\u2018\u00ab]$""")


class AnswerWriter:
    """The answer as it comes, without white space around it and never a partial character.

    A repeated or late tag is removed, except in quotes or in code.

    ``written`` is all of it as the model wrote it, after ``opening``, which closes the thinking.
    ``author`` changes if one model fails and the other goes on; ``by`` counts each one's tokens.
    """

    def __init__(self, author: Author, room: int, opening: str = END_OF_THINKING) -> None:
        self.author = author
        self.by: dict[Author, int] = {}
        self._room = room
        self._pieces = [opening]
        self._last: deque[str] = deque(maxlen=_CHARACTER_BYTES)
        self._given: list[str] = []
        self._held = ""

    @property
    def text(self) -> str:
        return "".join(self._given)

    @property
    def written(self) -> str:
        return join_text(self._pieces)

    @property
    def room(self) -> int:
        """How many tokens the answer may still have."""
        return self._room - sum(self.by.values())

    def push(self, text: str, tokens: int = 1) -> list[Event]:
        """Take text; return what is certain to belong to the answer."""
        self.by[self.author] = self.by.get(self.author, 0) + tokens
        self._pieces.append(text)
        if tokens and text:
            self._last.append(text)
        self._held += text
        self._held = _TAG.sub(self._unless_quoted, self._held)
        if not self._given:
            self._held = self._held.lstrip()
        unsettled = unfinished_tag(self._held, THINK_TAGS) or unfinished_bytes(self._held)
        settled = len(self._held[: len(self._held) - unsettled].rstrip())
        return self._give(settled)

    def take_back(self) -> int:
        """Drop a partial character at the end, as ``StepCutter.take_back`` does."""
        surplus = unfinished_bytes(self._held)
        self._held = self._held[: len(self._held) - surplus]
        self._pieces = [self._cut(surplus)]
        dropped = 0
        while surplus and self._last and len(self._last[-1]) <= surplus:
            surplus -= len(self._last.pop())
            dropped += 1
        if dropped:
            self.by[self.author] -= dropped
        return dropped

    def finish(self) -> list[Event]:
        """End the answer: return what was held back, stray bytes as U+FFFD."""
        return self._give(len(self._held.rstrip()))

    def _unless_quoted(self, tag: re.Match[str]) -> str:
        before = self.text + self._held[: tag.start()]
        return tag[0] if _OPEN_QUOTE.search(before) or inside_block(before) else ""

    def _cut(self, surplus: int) -> str:
        written = "".join(self._pieces)
        return written[: len(written) - surplus]

    def _give(self, length: int) -> list[Event]:
        if not length:
            return []
        text = join_text([self._held[:length]])
        self._held = self._held[length:]
        self._given.append(text)
        return [AnswerText(self.author, text)]


class StretchWriter:
    """Cuts one stream into steps and knows how much of the unfinished step was shown.

    With ``as_it_comes`` thinking is shown while it is written; without it a step's text is held
    back until the step stands. ``undecided`` is a finished step while it is being judged;
    ``failure`` is why there was no decision on it, and is raised after its events were sent.
    """

    def __init__(self, cutter: StepCutter, *, as_it_comes: bool) -> None:
        self.author = cutter.author
        self.cutter = cutter
        self.done = False
        self.undecided: Step | None = None
        self.failure: Exception | None = None
        self._as_it_comes = as_it_comes
        self._shown = 0

    def show(self) -> list[Event]:
        """The part of the unfinished step that can be shown now."""
        if not self._as_it_comes or self.cutter.closed:
            return []
        text = self.cutter.settled_text
        if len(text) <= self._shown:
            return []
        fresh, self._shown = text[self._shown :], len(text)
        return [ThinkingText(self.author, fresh)]

    def show_rest(self, step: Step) -> list[Event]:
        """The part of a standing step that was not shown yet."""
        rest, self._shown = step.text[self._shown :], 0
        return [ThinkingText(self.author, rest)] if rest else []
