"""Control tokens of a vocabulary, told apart from the same words in a message.

llama.cpp reads ``<|im_end|>`` in a prompt as the end of a turn, whoever wrote it. A prompt may also
be a list of texts and token ids. So a word that stands in a message is cut behind one of its
characters, and that character goes as the id of a token of its own:

    <|im_start|>user⏎Say <|im_end|>!    →    ["<|im_start|>user⏎Say ", 27, "|im_end|>!"]

The model reads the same characters, and no control. Prompts without such words stay as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from trigreason.engines.base import Prefix
from trigreason.engines.gguf import DamagedGguf, read_metadata
from trigreason.reasoning.tags import KNOWN_TAGS

CUT = "\ufdd0"
"""Stands behind the character that goes by its id; Unicode keeps it out of every text."""

_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
_TAGS = {tag for tags in KNOWN_TAGS for tag in tags}

Prompt = str | list[str | int]


class ControlWords:
    """The control tokens of a vocabulary, given the metadata of its GGUF file.

    Tags of thinking are left as they are: system messages of some models show them on purpose.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        tokens: Sequence[str] = metadata.get("tokenizer.ggml.tokens", ())
        kinds: Sequence[int] = metadata.get("tokenizer.ggml.token_type", ())
        self._ids = {
            token: index
            for index, (token, kind) in enumerate(zip(tokens, kinds, strict=False))
            if kind == _NORMAL and len(token) == 1 and token.isascii() and token.isprintable()
        }
        control = (
            token
            for token, kind in zip(tokens, kinds, strict=False)
            if kind in (_UNKNOWN, _CONTROL)
            and token not in _TAGS
            and self._place(token) is not None
        )
        self._words = re.compile(_any_of(control) or r"(?!)")

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Those of a GGUF file; none where its metadata cannot be read."""
        try:
            return cls(read_metadata(path))
        except (DamagedGguf, OSError):
            return cls({})

    def as_text(self, prefix: Prefix) -> Prefix:
        """The prefix with every such word cut, in the messages and in what was written."""
        messages = tuple(each._replace(content=self._cut(each.content)) for each in prefix.messages)
        return replace(prefix, messages=messages, written=self._cut(prefix.written))

    def prompt(self, rendered: str) -> Prompt:
        """What is sent for the prompt of such a prefix: a text where nothing was cut in it."""
        *cut, rest = rendered.split(CUT)
        if not cut:
            return rendered
        pieces: list[str | int] = []
        for text in cut:
            pieces += [text[:-1], self._ids[text[-1]]]
        return [piece for piece in (*pieces, rest) if piece != ""]

    def _cut(self, text: str) -> str:
        text = text.replace(CUT, "")
        while (cut := self._words.sub(self._cut_word, text)) != text:
            text = cut  # a word that began within another is found once that is cut
        return text

    def _cut_word(self, word: re.Match[str]) -> str:
        place = self._place(word[0])
        assert place is not None, "only words that can be cut are looked for"
        return word[0][: place + 1] + CUT + word[0][place + 1 :]

    def _place(self, word: str) -> int | None:
        """The first character, but not the last, that is a token of its own."""
        return next((at for at, each in enumerate(word[:-1]) if each in self._ids), None)


def _any_of(words: Iterable[str]) -> str:
    """A regular expression for any of the words, the longest first; it looks at no character twice.

    Hundreds of alternatives that all begin alike would each be tried at every ``<`` of a message.
    """
    rests: defaultdict[str, list[str]] = defaultdict(list)
    ends = False
    for word in words:
        if word:
            rests[word[0]].append(word[1:])
        else:
            ends = True
    if not rests:
        return ""
    branches = "|".join(re.escape(first) + _any_of(rest) for first, rest in rests.items())
    return f"(?:{branches})" + ("?" if ends else "")
