"""Half a character at the end of a stream, which SGLang shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import aiohttp

from trigreason.engines.base import Finish
from trigreason.engines.completions import CompletionStream, StepEnding
from trigreason.reasoning import Token

REPLACEMENT = "\ufffd"


class HalfCharacters:
    """Keeps the replacement character back that ends what has come so far.

    SGLang waits for the rest of a character, and shows U+FFFD for it where the tokens end first.
    Sent as a part of the next prefix it would stand there instead of the character.
    """

    def __init__(self) -> None:
        self._kept = ""

    def whole(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens, with what was kept before them and without what is kept now."""
        spoken = [index for index, token in enumerate(tokens) if token.text]
        whole = list(tokens)
        if spoken:
            first, last = spoken[0], spoken[-1]
            whole[first] = replace(whole[first], text=self._kept + whole[first].text)
            text = whole[last].text
            whole[last] = replace(whole[last], text=text.rstrip(REPLACEMENT))
            self._kept = text[len(whole[last].text) :]
        return whole

    def rest(self, finish: Finish | None) -> list[Token]:
        """What is left to say at the end: a text that ended by itself meant the character."""
        return [Token(self._kept)] if self._kept and finish is not Finish.LENGTH else []


class SglangStream(CompletionStream):
    """One running completion, without half a character at its end."""

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
