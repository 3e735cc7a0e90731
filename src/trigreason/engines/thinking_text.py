"""Thinking and answer as one text, where a server sends them in two fields.

Everything behind an engine reads one text: thinking, ``</think>``, answer. A server that sorts
them into fields swallows the tag between, and some say again what they were given to go on from.
All decided by the text alone, so that the same text gives the same text however it is cut up.
"""

from __future__ import annotations

from trigreason.engines.base import Prefix
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.reasoning.tags import THINK_TAGS

SEAM = f"{END_OF_THINKING}\n\n"
"""What stands between the thinking and the answer, as a server that swallowed it is likely to
have read it from its model."""

LINGERING = len(END_OF_THINKING) - 1
"""Characters at the end of a text that may be the beginning of a tag."""


class AssistantTurn:
    """The assistant's turn so far, taken apart.

    Attributes:
        thought: the thinking, without its tags; None where the turn does not begin with any.
        said: what stands behind the thinking, white space included.
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
    """Takes a known beginning off a stream; a stream that begins otherwise passes untouched.

    ``trailing`` goes with the beginning where it follows, and is not missed where it does not.
    """

    def __init__(self, unwanted: str, trailing: str = "") -> None:
        self._unwanted = unwanted
        self._whole = unwanted + trailing
        self._held = ""
        self._decided = not unwanted

    def take(self, text: str) -> str:
        """What of the text so far can be passed on."""
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
        """What was held back for what did not come."""
        text, self._held = self._held, ""
        self._decided = True
        return text.removeprefix(self._unwanted)


class JoinedText:
    """The text of a stream that goes on from ``turn``.

    The first answer behind open thinking is preceded by :data:`SEAM`, once, unless the model wrote
    the tag itself; by the tag alone where the answer brings its line ends along, as vLLM's does.
    With ``apart`` the server is known to keep thinking and answer apart; others are found out by
    the first thinking they send. A ``<think>`` at the very beginning, although the thinking is
    open already, is left out. With ``echoes`` the server begins with what it was given, and that
    is left out too; it has to be all of it, to the letter.
    """

    def __init__(self, turn: AssistantTurn, *, apart: bool = False, echoes: bool = False) -> None:
        self.is_open = turn.is_open
        self._apart = apart
        self._lingering = (turn.thought or "")[-LINGERING:]
        self._thinking_echo = Beginning(turn.thought or "" if echoes else "")
        self._answer_echo = Beginning(turn.said if echoes else "")
        self._restart = Beginning(THINK_TAGS.opening if turn.is_open else "", trailing="\n")

    def add(self, thinking: str, answer: str) -> list[str]:
        """What one event's two fields come to, in order; the seam is always a piece of its own."""
        pieces = []
        if thinking:
            self._apart = True
            pieces.append(self._noticed(self._restart.take(self._thinking_echo.take(thinking))))
        if answer and self.is_open and self._apart:
            pieces.append(self._noticed(self._restart.take(self._thinking_echo.rest())))
            pieces.append(self._noticed(self._restart.rest()))
            if self.is_open:
                pieces.append(END_OF_THINKING if answer.startswith("\n") else SEAM)
                self.is_open = False
        if answer:
            pieces.append(self._noticed(self._restart.take(self._answer_echo.take(answer))))
        return [piece for piece in pieces if piece]

    def rest(self) -> str:
        """What is still held back when nothing more will come."""
        echo = self._thinking_echo.rest() + self._answer_echo.rest()
        return self._noticed(self._restart.take(echo) + self._restart.rest())

    def _noticed(self, text: str) -> str:
        """``text``, with a look at whether it ends the thinking."""
        if self.is_open and text:
            seen = self._lingering + text
            self.is_open = END_OF_THINKING not in seen
            self._lingering = seen[-LINGERING:]
        return text
