"""Partial characters at the end of a stream, which SGLang sends as U+FFFD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import aiohttp

from trigreason.engines.base import Finish
from trigreason.engines.completions import CompletionStream, StepEnding
from trigreason.reasoning import Token

REPLACEMENT = "\ufffd"


class HalfCharacters:
    """Holds back a replacement character at the end of the text so far.

    SGLang waits for the rest of a character, and sends U+FFFD for it if the tokens end first. In
    the next prefix, U+FFFD would take the place of the character.
    """

    def __init__(self) -> None:
        self._kept = ""

    def whole(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens, with the text held back before and without the text held back now."""
        with_text = [index for index, token in enumerate(tokens) if token.text]
        whole = list(tokens)
        if with_text:
            first, last = with_text[0], with_text[-1]
            whole[first] = replace(whole[first], text=self._kept + whole[first].text)
            text = whole[last].text
            whole[last] = replace(whole[last], text=text.rstrip(REPLACEMENT))
            self._kept = text[len(whole[last].text) :]
        return whole

    def rest(self, finish: Finish | None) -> list[Token]:
        """The text still held back: a text that ended by itself meant U+FFFD, a cut one did not."""
        return [Token(self._kept)] if self._kept and finish is not Finish.LENGTH else []


class SglangStream(CompletionStream):
    """One running completion, without a partial character at its end."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        where: str,
        needs_logprobs: bool,
        ending: StepEnding | None = None,
    ) -> None:
        super().__init__(response, where, needs_logprobs, ending)
        self._halves = HalfCharacters()

    def read(self, payload: bytes) -> Sequence[Token]:
        return self._halves.whole(super().read(payload))

    def at_end(self) -> Sequence[Token]:
        return [*self._halves.rest(self.finish), *super().at_end()]
