"""A running request whose server sends thinking and answer in separate fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import aiohttp

from trigreason.engines.completions import StepEnding
from trigreason.engines.http_stream import HttpStream
from trigreason.engines.refusals import no_logprobs
from trigreason.engines.thinking_text import JoinedText
from trigreason.engines.wire import Choice, tokens_of
from trigreason.reasoning import Token


class FieldsStream(HttpStream):
    """Joins the fields to one text; ``ending`` is for a request that stops at a step's end."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        where: str,
        split: Callable[[bytes], Iterator[bytes]],
        *,
        text: JoinedText,
        needs_logprobs: bool,
        ending: StepEnding | None,
    ) -> None:
        super().__init__(response, where, split)
        self._text = text
        self._lacks_logprobs = needs_logprobs
        self._ending = ending

    def at_end(self) -> Sequence[Token]:
        text = self._text.rest()
        text += self._ending.end(self) if self._ending else ""
        return [Token(text)] if text else ()

    def tokens(self, choice: Choice, thinking: str, answer: str) -> Sequence[Token]:
        """The tokens of one event, from ``choice`` without its text. Sets ``finish`` if it ended.

        Raises:
            EngineError: the stream ended by a failure, or lacks the logprobs that are needed.
        """
        if choice.has_logprobs:
            self._lacks_logprobs = False  # text that the server held back may still come without
        elif self._lacks_logprobs and (thinking or answer):
            raise no_logprobs(self.where)
        self.ends(choice.finish_reason)
        pieces = self._text.add(thinking, answer) or [""]
        choice.text = pieces[-1]  # the probabilities belong to the model's text, not to the seam
        tokens = [*map(Token, pieces[:-1]), *tokens_of(choice)]
        if self._ending is not None:
            choice.text = "".join(pieces)
            self._ending.add(choice)
        return tokens
