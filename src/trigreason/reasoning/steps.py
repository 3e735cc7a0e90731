"""Cutting a stream of thinking tokens into steps.

A step is thinking up to and including a blank line, or a line end if the pair says so. The rules
depend on the text alone, so that the same tokens give the same steps however they arrive:

1. A blank line ends a step as soon as its second newline is there; newlines that still follow
   open the next step. A step is never only white space, unless the thinking ends there.
2. A blank line inside a fenced code block or a displayed formula ends nothing
   (``whole_blocks=False`` follows the paper's letter instead: every blank line cuts).
3. An opening tag, which is in the prompt already, is part of no step. The closing tag
   (``</think>``) ends the last step and the thinking; what follows it is answer.
   A model that thinks in the open has no tags.
4. Each token belongs to exactly one step, the one in which it begins. If a token holds a step's
   end and the next one's start, its text is divided and its probability counted once.
5. A step that reaches ``max_tokens`` is cut there, but never inside a character or a half-written
   closing tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trigreason.reasoning.tags import THINK_TAGS, Tags, unfinished_tag
from trigreason.reasoning.tokens import Token, join_text, unfinished_bytes

END_OF_THINKING = THINK_TAGS.closing
MAX_STEP_TOKENS = 512
CUTTING_SLACK = 16
"""Tokens by which a step may outgrow its limit until a character or a tag is whole."""

_ESCAPED_BYTES = re.compile("[\udc80-\udcff]+")
_BLOCK_MARK = re.compile(
    r"(?m)^ {0,3}(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>[^\n]*)$"
    r"|\\\\"  # a line break inside a formula: the "[" of "\\[4pt]" opens nothing
    r"|(?P<dollars>\$\$)|(?P<open>\\\[|\\begin\{\w+\*?\})|(?P<close>\\\]|\\end\{\w+\*?\})"
)


class Author(StrEnum):
    """Who wrote a step."""

    SRM = "srm"
    LRM = "lrm"

    @property
    def other(self) -> Author:
        return Author.LRM if self is Author.SRM else Author.SRM


class StepBreak(StrEnum):
    """What separates steps: the paper's blank line, or every line end.

    Under the first, a model that never writes blank lines writes a single step.
    """

    BLANK_LINE = "blank_line"
    LINE_END = "line_end"


_BREAKS = {
    StepBreak.BLANK_LINE: re.compile(r"\n[ \t\r]*\n"),
    StepBreak.LINE_END: re.compile(r"\n"),
}


class StepEnd(StrEnum):
    """What ended a step."""

    BLANK_LINE = "blank_line"
    LINE_END = "line_end"
    END_OF_THINKING = "end_of_thinking"
    TOKEN_LIMIT = "token_limit"
    END_OF_STREAM = "end_of_stream"
    REPETITION = "repetition"
    """Cut off while it was written, because its end repeats itself."""

    OPENING = "opening"
    """Cut off after its first tokens, because the method threw it away on seeing them."""

    CUT_OFF = "cut_off"
    """Cut off unfinished, by a budget, the clock or a failure; the method did not decide on it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step: its exact text, white space included, and the tokens counted in it."""

    text: str
    tokens: tuple[Token, ...]
    end: StepEnd = StepEnd.BLANK_LINE
    author: Author = Author.SRM

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


def inside_block(text: str) -> bool:
    """Whether ``text`` ends inside a fenced code block or a displayed formula it opened."""
    fence = ""
    dollars = False
    depth = 0
    for mark in _BLOCK_MARK.finditer(text):
        run = mark["fence"]
        if run:
            if not fence:
                fence = run
            elif run[0] == fence[0] and len(run) >= len(fence) and not mark["info"].strip():
                fence = ""
        elif fence:
            continue
        elif mark["dollars"]:
            dollars = not dollars
        elif mark["open"]:
            depth += 1
        elif mark["close"] and depth:
            depth -= 1
    return bool(fence) or dollars or depth > 0


class StepCutter:
    """Tokens in, finished steps out. No I/O: feed it, read ``open_text`` and ``remainder``.

    ``push`` returns the steps that the token finished. After ``closed`` turns true the thinking is
    over, ``remainder`` holds the closing token's text after the closing tag (with partial
    characters as in tokens), and nothing more may be pushed. ``tags`` is None for a model that
    thinks in the open.
    """

    def __init__(
        self,
        author: Author,
        *,
        max_tokens: int = MAX_STEP_TOKENS,
        step_break: StepBreak = StepBreak.BLANK_LINE,
        whole_blocks: bool = True,
        tags: Tags | None = THINK_TAGS,
    ) -> None:
        if max_tokens < 1:
            raise ValueError(f"a step needs room for at least one token, not {max_tokens}")
        self.author = author
        self.max_tokens = max_tokens
        self.step_break = step_break
        self.whole_blocks = whole_blocks
        self.tags = tags
        self.closing_tag = tags.closing if tags else None
        self.closed = False
        self.remainder = ""
        self._pieces: list[str] = []
        self._tokens: list[Token] = []

    @property
    def open_text(self) -> str:
        """The text of the unfinished step."""
        return join_text(self._pieces)

    @property
    def open_tokens(self) -> int:
        return len(self._tokens)

    @property
    def open_logprobs(self) -> list[float | None]:
        """The logprobs, in nats, of the tokens of the unfinished step."""
        return [token.logprob for token in self._tokens]

    @property
    def settled_text(self) -> str:
        """The text of the unfinished step that no later token can change or turn into a tag."""
        text = "".join(self._pieces)
        return join_text([text[: len(text) - self._unsettled(text)]])

    def push(self, token: Token) -> list[Step]:
        """Take one token; return the steps it finished (mostly none, rarely more than one)."""
        if self.closed:
            raise ValueError("the thinking is closed: this token belongs to the answer")
        self._tokens.append(token)
        self._pieces.append(token.text)
        finished: list[Step] = []
        if "\n" in token.text or (self.tags and any(tag[-1] in token.text for tag in self.tags)):
            self._cut(finished)
        if not self.closed and len(self._tokens) >= self.max_tokens:
            self._cut_at_limit(finished)
        return finished

    def open_step(self, end: StepEnd) -> Step:
        """The unfinished step as it would be if it ended here."""
        return Step(self.open_text, tuple(self._tokens), end, self.author)

    def push_all(self, tokens: Iterable[Token]) -> list[Step]:
        return [step for token in tokens for step in self.push(token)]

    def flush(self, end: StepEnd = StepEnd.END_OF_STREAM) -> list[Step]:
        """End the stream: what is left, if anything, is the last step."""
        if not self._tokens and not self._pieces:
            return []
        return [self._finish("".join(self._pieces), "", end)]

    def take_back(self, *, tags: bool = False) -> int:
        """Drop a partial character at the open step's end; return how many tokens it dropped.

        The next request writes the character anew. A token that also holds whole characters
        stays, without the partial one. With ``tags`` a partial closing tag is dropped too.
        """
        text = "".join(self._pieces)
        surplus = self._unsettled(text) if tags else unfinished_bytes(text)
        whole = text[: len(text) - surplus]
        self._pieces = [whole] if whole else []
        dropped = 0
        textless: list[Token] = []  # they stay: nothing of them will be written anew
        while surplus and self._tokens and len(self._tokens[-1].text) <= surplus:
            token = self._tokens.pop()
            surplus -= len(token.text)
            if token.text:
                dropped += 1
            else:
                textless.append(token)
        self._tokens += reversed(textless)
        return dropped

    def _cut(self, finished: list[Step]) -> None:
        text = _whole_characters("".join(self._pieces))
        if self.tags:
            text = text.replace(self.tags.opening, "")
        while True:
            end = self._first_break(text)
            tag = text.find(self.closing_tag) if self.closing_tag else -1
            if self.closing_tag and tag >= 0 and (end is None or tag < end):
                self.closed = True
                self.remainder = text[tag + len(self.closing_tag) :]
                finished.append(self._finish(text[:tag], "", StepEnd.END_OF_THINKING))
                return
            if end is None:
                break
            rest = text[end:]
            finished.append(self._finish(text[:end], rest, StepEnd(self.step_break.value)))
            text = rest
        self._pieces = [text] if text else []

    def _first_break(self, text: str) -> int | None:
        """The end of the first break that ends a step, or None."""
        start = len(text) - len(text.lstrip())
        if start == len(text):
            return None
        for match in _BREAKS[self.step_break].finditer(text, start):
            if not self.whole_blocks or not inside_block(text[: match.end()]):
                return match.end()
        return None

    def _cut_at_limit(self, finished: list[Step]) -> None:
        text = "".join(self._pieces)
        if text and self._unsettled(text) and len(self._tokens) < self.max_tokens + CUTTING_SLACK:
            return
        finished.append(self._finish(text, "", StepEnd.TOKEN_LIMIT))

    def _finish(self, text: str, rest: str, end: StepEnd) -> Step:
        step = Step(join_text([text]), tuple(self._tokens), end, self.author)
        self._tokens = []
        self._pieces = [rest] if rest else []
        return step

    def _unsettled(self, text: str) -> int:
        """How many characters at the end may be part of an unfinished tag or character."""
        return unfinished_tag(text, self.tags or ()) or unfinished_bytes(text)


def _whole_characters(text: str) -> str:
    """Join partial characters, so that white space is recognised; an open end stays as it is."""
    return _ESCAPED_BYTES.sub(
        lambda run: run[0].encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"),
        text,
    )
