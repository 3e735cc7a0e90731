"""Keeps control tokens' names in messages from being parsed as control tokens.

llama.cpp parses ``<|im_end|>`` in a prompt as the end of a turn, even in a user's message. A prompt
may also be a list of texts and token ids. So such a word in a message is cut after one of its
characters, and that character is sent as a token id:

    <|im_start|>user⏎Say <|im_end|>!    →    ["<|im_start|>user⏎Say ", 27, "|im_end|>!"]

The model reads the same characters, but no control token. Other prompts are not changed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from trigreason.engines.base import Prefix
from trigreason.engines.completions import Prompt
from trigreason.engines.gguf import DamagedGguf, read_metadata
from trigreason.reasoning import Message, ToolCall
from trigreason.reasoning.tags import KNOWN_TAGS

CUT = "\ufdd0"
"""Marks the character before it to be sent as a token id; Unicode never assigns this one."""

_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
_TAGS = {tag for tags in KNOWN_TAGS for tag in tags}


class ControlWords:
    """The control tokens of a vocabulary, from the metadata of its GGUF file.

    Thinking tags are left alone: some models' system messages contain them on purpose.
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
        """The control words of a GGUF file; none if its metadata cannot be read."""
        try:
            return cls(read_metadata(path))
        except (DamagedGguf, OSError):
            return cls({})

    def as_text(self, prefix: Prefix) -> Prefix:
        """The prefix with every control word cut, in the messages and in the written text."""
        tools = tuple(
            tool._replace(definition=self._cut_json(tool.definition)) for tool in prefix.tools
        )
        messages = tuple(self._message(message) for message in prefix.messages)
        return replace(prefix, messages=messages, written=self._cut(prefix.written), tools=tools)

    def prompt(self, rendered: str) -> Prompt:
        """The prompt to send for a rendered prefix with cuts; a text if it has none."""
        *cut, rest = rendered.split(CUT)
        if not cut:
            return rendered
        pieces: list[str | int] = []
        for text in cut:
            pieces += [text[:-1], self._ids[text[-1]]]
        return [piece for piece in (*pieces, rest) if piece != ""]

    def _message(self, message: Message) -> Message:
        calls = tuple(
            ToolCall(self._cut(call.id), self._cut(call.name), self._cut_json(call.arguments))
            for call in message.tool_calls
        )
        return message._replace(
            content=self._cut(message.content),
            reasoning=self._cut(message.reasoning),
            tool_call_id=self._cut(message.tool_call_id),
            tool_calls=calls,
        )

    def _cut_json(self, text: str) -> str:
        """JSON with the control words in its texts cut, those with escaped characters too."""
        return self._cut(json.dumps(json.loads(text), ensure_ascii=False))

    def _cut(self, text: str) -> str:
        text = text.replace(CUT, "")
        while (cut := self._words.sub(self._cut_word, text)) != text:
            text = cut  # cutting a word can reveal another that overlaps it
        return text

    def _cut_word(self, word: re.Match[str]) -> str:
        place = self._place(word[0])
        assert place is not None, "the pattern holds only words that can be cut"
        return word[0][: place + 1] + CUT + word[0][place + 1 :]

    def _place(self, word: str) -> int | None:
        """The index of the first character, except the last, that is a single token."""
        return next((at for at, character in enumerate(word[:-1]) if character in self._ids), None)


def _any_of(words: Iterable[str]) -> str:
    """A regular expression for any of the words, longest first, as a trie.

    A plain alternation would try hundreds of words at every ``<`` of a message.
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
