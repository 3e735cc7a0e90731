"""A running request whose server sorts the text into fields: thinking, and answer."""

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
    """Puts the fields together to one text; with ``ending`` it was to stop at a step's end."""

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
        """The tokens of one event, ``choice`` without its text. Sets ``finish`` where it is told.

        Raises:
            EngineError: it ended by a failure, or came without the logprobs that are needed.
        """
        if choice.has_logprobs:
            self._lacks_logprobs = False  # text that was held back may yet come without
        elif self._lacks_logprobs and (thinking or answer):
            raise no_logprobs(self.where)
        self.ends(choice.finish_reason)
        pieces = self._text.add(thinking, answer) or [""]
        choice.text = pieces[-1]  # the probabilities are the model's text's, not the seam's
        tokens = [*map(Token, pieces[:-1]), *tokens_of(choice)]
        if self._ending is not None:
            choice.text = "".join(pieces)
            self._ending.add(choice)
        return tokens
