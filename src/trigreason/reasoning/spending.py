"""What a run has cost: what the servers told of, and an estimate of what they did not.

A stream that is left before its end tells nothing where usage comes last, and some servers never
tell any. Then the tokens that arrived are those that were written, and the prompt is as long as
the conversation and what stood behind it: the conversation by a server's word on another request
of the run, or else by its characters. Every estimate gives way to such a word as soon as there is
one. A model without a price costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from trigreason.reasoning.messages import Message
from trigreason.reasoning.records import Prices, Purpose, Stretch
from trigreason.reasoning.steps import Author
from trigreason.reasoning.trace import Trace

PROMPT_BYTES = 3
"""UTF-8 bytes for each token of a prompt: rather too many tokens than too few."""

MESSAGE_TOKENS = 8
"""What a template puts around each message."""

WRITTEN_BYTES = 5
"""A text has no fewer tokens than its bytes by this, whatever number of pieces it came in."""

JUDGE_TOKENS = 100
"""The question that asks for a score."""

_WRITING = (Purpose.WRITE, Purpose.ANSWER)


class Spent(NamedTuple):
    """``usd`` is None where no model that was asked has a price."""

    usd: float | None
    is_estimate: bool

    @classmethod
    def together(cls, parts: Iterable[Spent]) -> Spent:
        """The sum of what is known; of nothing at all it is 0."""
        every = list(parts)
        known = [each.usd for each in every if each.usd is not None]
        if every and not known:
            return cls(None, False)
        return cls(sum(known), any(each.is_estimate for each in every))


def prompt_tokens(messages: Iterable[Message]) -> int:
    """An estimate of a conversation's tokens, from its characters alone."""
    sizes = (len(message.content.encode(errors="replace")) for message in messages)
    return sum(math.ceil(size / PROMPT_BYTES) + MESSAGE_TOKENS for size in sizes)


class Prompt(NamedTuple):
    """How long a conversation is, in tokens; 0 where no model has read it."""

    tokens: int
    is_estimate: bool


def prompt_of(trace: Trace) -> Prompt:
    """The conversation's tokens, as a server counted them when nothing was written yet.

    Where none did, the estimate is the one that the cost is made from.
    """
    lengths = _Lengths(trace)
    read = [
        index
        for index, each in enumerate(trace.stretches)
        if each.purpose in _WRITING and not _was_unread(each)
    ]
    for index in read:
        told = trace.stretches[index].prompt_tokens
        if told is not None and lengths.is_bare(index):
            return Prompt(told, False)
    return Prompt(lengths.conversation(trace.stretches[read[0]].author) if read else 0, bool(read))


def spent(trace: Trace, authors: Collection[Author] = tuple(Author)) -> Spent:
    """What these models have cost in a run, as far as it has come."""
    asked = {each.author for each in trace.stretches} & set(authors)
    priced = {author: price for author, price in trace.prices.items() if author in asked}
    if asked and not priced:
        return Spent(None, False)
    lengths = _Lengths(trace)
    return Spent.together(
        _cost(stretch, priced[stretch.author], lengths, index)
        for index, stretch in enumerate(trace.stretches)
        if stretch.author in priced
    )


def _cost(stretch: Stretch, price: Prices, lengths: _Lengths, index: int) -> Spent:
    if stretch.prompt_tokens is None:
        if _was_unread(stretch):
            return Spent(0.0, False)
        prompt = lengths.prompt(index)
        cached = math.floor(prompt * lengths.cached_share(stretch.author))
        stretch = replace(stretch, prompt_tokens=prompt, cached_tokens=cached)
    elif stretch.generated_tokens is not None or not stretch.completion_tokens:
        return Spent(price.cost(stretch), False)
    if stretch.generated_tokens is None:
        written = max(stretch.completion_tokens, lengths.written(index))
        stretch = replace(stretch, completion_tokens=written)
    return Spent(price.cost(stretch), True)


def _was_unread(stretch: Stretch) -> bool:
    """Whether a request failed before its server had anything to charge for."""
    is_silent = stretch.prompt_tokens is None and not stretch.completion_tokens
    return bool(stretch.failed) and is_silent


class _Lengths:
    """How long the prompts of a run's requests were (tokens), as well as anybody knows."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._behind = _behind(trace)

    def prompt(self, index: int) -> int:
        """What stood before the model when it was asked."""
        stretch = self._trace.stretches[index]
        question = JUDGE_TOKENS if stretch.purpose is Purpose.JUDGE else 0
        return self.conversation(stretch.author) + self._behind[index] + question

    def cached_share(self, author: Author) -> float:
        """The share of a model's prompts that was cached, where its server tells; else none."""
        told = [
            (each.cached_tokens, each.prompt_tokens)
            for each in self._trace.stretches
            if each.author is author and each.cached_tokens and each.prompt_tokens
        ]
        every = sum(prompt for _, prompt in told)
        return sum(cached for cached, _ in told) / every if every else 0.0

    def written(self, index: int) -> int:
        """The least number of tokens that the text of a request can have."""
        texts = [step.text for step in self._trace.steps if step.stretch == index]
        if index == self._last_by(self._trace.answer_author):
            texts.append(self._trace.answer)
        return sum(len(text.encode(errors="replace")) for text in texts) // WRITTEN_BYTES

    def _last_by(self, author: Author | None) -> int | None:
        """The request that finished the answer."""
        own = (
            index
            for index, each in enumerate(self._trace.stretches)
            if each.author is author and each.purpose in _WRITING
        )
        return max(own, default=None)

    def is_bare(self, index: int) -> bool:
        """Whether a request's prompt was the conversation alone."""
        return not self._behind[index]

    def conversation(self, author: Author) -> int:
        """By the model's own server, else by the other one's, else by the characters."""
        told = [
            (each.author is not author, each.prompt_tokens - self._behind[index])
            for index, each in enumerate(self._trace.stretches)
            if each.prompt_tokens is not None and each.purpose is not Purpose.JUDGE
        ]
        if told:
            return max(1, min(told, key=lambda each: each[0])[1])
        return prompt_tokens(self._trace.messages)


def _behind(trace: Trace) -> Sequence[int]:
    """For each request the tokens that stood behind the conversation when it was sent."""
    drafted = [0] * len(trace.stretches)
    for step in trace.steps:
        if not step.standing:
            drafted[step.stretch] += step.tokens
    tokens, found = 0, []
    for index, each in enumerate(trace.stretches):
        found.append(tokens)
        if each.purpose in _WRITING:
            tokens += max(0, each.completion_tokens - each.unused_tokens - drafted[index])
    return found
