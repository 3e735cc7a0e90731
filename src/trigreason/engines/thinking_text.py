"""Joins thinking and answer to one text if a server sends them in two fields.

Users of an engine read one text: thinking, ``</think>``, answer. A server that splits it into
fields drops the tag between them, and some servers repeat the text they were to continue.
The result depends on the text alone, so that it is the same however the stream is cut up.
"""

from __future__ import annotations

from trigreason.engines.base import Prefix
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.reasoning.tags import THINK_TAGS

SEAM = f"{END_OF_THINKING}\n\n"
"""The text between the thinking and the answer that the model is likely to have written and the
server to have dropped."""

LINGERING = len(END_OF_THINKING) - 1
"""Characters at the end of a text that may begin a tag."""


class AssistantTurn:
    """The assistant's turn so far, split into thinking and answer.

    Attributes:
        thought: the thinking, without its tags; None if the turn does not begin with thinking.
        said: the text after the thinking, white space included.
        is_open: the thinking has begun and has not ended.
    """

    def __init__(self, prefix: Prefix) -> None:
        self.thought: str | None = None
        self.said = prefix.written
        self.is_open = False
        if prefix.thinking or prefix.written.startswith(THINK_TAGS.opening):
            written = prefix.written
            if not prefix.thinking:
                written = written.removeprefix(THINK_TAGS.opening).removeprefix("\n")
            self.thought, tag, self.said = written.partition(END_OF_THINKING)
            self.is_open = not tag


class Beginning:
    """Removes a known beginning from a stream; other streams pass unchanged.

    ``trailing`` is removed too if it follows the beginning.
    """

    def __init__(self, unwanted: str, trailing: str = "") -> None:
        self._unwanted = unwanted
        self._whole = unwanted + trailing
        self._held = ""
        self._decided = not unwanted

    def take(self, text: str) -> str:
        """Take text; return the text that can be passed on now."""
        if self._decided:
            return text
        self._held += text
        if self._whole.startswith(self._held) and self._held != self._whole:
            return ""
        self._decided = True
        text, self._held = self._held, ""
        if text.startswith(self._whole):
            return text[len(self._whole) :]
        return text.removeprefix(self._unwanted)

    def rest(self) -> str:
        """The text held back for a beginning that never became complete."""
        text, self._held = self._held, ""
        self._decided = True
        return text.removeprefix(self._unwanted)


class JoinedText:
    """The text of a stream that continues ``turn``.

    The first answer after open thinking is preceded by :data:`SEAM`, once, unless the model wrote
    the tag itself; by the tag alone if the answer begins with its line ends, as vLLM's does.
    With ``apart`` the server is known to use two fields; other servers are recognised by the first
    thinking they send. A ``<think>`` at the very beginning is left out if the thinking is open
    already. With ``echoes`` the server begins with a copy of the turn so far, which is left out
    too if it is complete and exact.
    """

    def __init__(self, turn: AssistantTurn, *, apart: bool = False, echoes: bool = False) -> None:
        self.is_open = turn.is_open
        self._apart = apart
        self._lingering = (turn.thought or "")[-LINGERING:]
        self._thinking_echo = Beginning(turn.thought or "" if echoes else "")
        self._answer_echo = Beginning(turn.said if echoes else "")
        self._restart = Beginning(THINK_TAGS.opening if turn.is_open else "", trailing="\n")

    def add(self, thinking: str, answer: str) -> list[str]:
        """The text pieces of one event's two fields, in order; the seam is a separate piece."""
        pieces = []
        if thinking:
            self._apart = True
            pieces.append(self._watched(self._restart.take(self._thinking_echo.take(thinking))))
        if answer and self.is_open and self._apart:
            pieces.append(self._watched(self._restart.take(self._thinking_echo.rest())))
            pieces.append(self._watched(self._restart.rest()))
            if self.is_open:
                pieces.append(END_OF_THINKING if answer.startswith("\n") else SEAM)
                self.is_open = False
        if answer:
            pieces.append(self._watched(self._restart.take(self._answer_echo.take(answer))))
        return [piece for piece in pieces if piece]

    def rest(self) -> str:
        """The text that is still held back at the end of the stream."""
        echo = self._thinking_echo.rest() + self._answer_echo.rest()
        return self._watched(self._restart.take(echo) + self._restart.rest())

    def _watched(self, text: str) -> str:
        """Return ``text``; set ``is_open`` to False if it ends the thinking."""
        if self.is_open and text:
            seen = self._lingering + text
            self.is_open = END_OF_THINKING not in seen
            self._lingering = seen[-LINGERING:]
        return text
