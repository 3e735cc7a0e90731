"""The tags in which reasoning models think.

A model that marks its thinking opens a tag, thinks, closes the tag and answers. A model that marks
nothing *thinks in the open*: its text is the chain of thought and the answer in one. Engines take
and return the tags as ``THINK_TAGS``, whatever the model's own tags are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Tags(NamedTuple):
    """What a model writes before and after its thinking."""

    opening: str
    closing: str


THINK_TAGS = Tags("<think>", "</think>")

KNOWN_TAGS = (
    THINK_TAGS,
    Tags("[THINK]", "[/THINK]"),  # Magistral and later Mistral models
    Tags("<seed:think>", "</seed:think>"),  # Seed-OSS
    Tags("<mm:think>", "</mm:think>"),  # MiniMax
    Tags("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
    Tags("<thinking>", "</thinking>"),
    Tags("<thought>", "</thought>"),
)

_SWITCHES = ("enable_thinking", "reasoning_content")
"""Names in chat templates of models that use ``<think>``, even if the tag is not in them."""


def tags_in_template(source: str) -> Tags | None:
    """The tags of the model that a chat template belongs to; None for one that has no tags."""
    for tags in KNOWN_TAGS:
        if tags.opening in source or tags.closing in source:
            return tags
    return THINK_TAGS if any(name in source for name in _SWITCHES) else None


def unfinished_tag(text: str, tags: Iterable[str]) -> int:
    """How many characters at the end of ``text`` may begin one of ``tags``."""
    return max((_begun(text, tag) for tag in tags), default=0)


def _begun(text: str, tag: str) -> int:
    lengths = range(min(len(text), len(tag) - 1), 0, -1)
    return next((length for length in lengths if tag.startswith(text[-length:])), 0)
