"""The cost of a run, from the usage that servers report, and estimated where they report none.

A stream that is closed early reports no usage if its server sends it last, and some servers never
report any. Then the completion is taken to be the tokens that arrived, and the prompt to be the
conversation and the text after it. The conversation's length is as a server reported it for
another request of the run, or else estimated from its characters. A reported number always
replaces an estimate. A model without a price costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from trigreason.reasoning.messages import Message
from trigreason.reasoning.records import Prices, Purpose, Stretch
from trigreason.reasoning.steps import Author
from trigreason.reasoning.tools import Tool
from trigreason.reasoning.trace import Trace

PROMPT_BYTES = 3
"""UTF-8 bytes per token of a prompt, chosen to overestimate rather than underestimate tokens."""

MESSAGE_TOKENS = 8
"""Tokens that a template puts around each message."""

WRITTEN_BYTES = 5
"""A text counts as at least one token per so many bytes, in however few pieces it came."""

JUDGE_TOKENS = 100
"""Tokens of the question that asks for a score."""

_WRITING = (Purpose.WRITE, Purpose.ANSWER)


class Spent(NamedTuple):
    """``usd`` is None if no model that was used has a price."""

    usd: float | None
    is_estimate: bool

    @classmethod
    def together(cls, parts: Iterable[Spent]) -> Spent:
        """The sum of the known costs; None if none is known, 0 for no parts at all."""
        parts = list(parts)
        known = [part.usd for part in parts if part.usd is not None]
        if parts and not known:
            return cls(None, False)
        return cls(sum(known), any(part.is_estimate for part in parts))


def prompt_tokens(messages: Iterable[Message], tools: Iterable[Tool] = ()) -> int:
    """An estimate of the tokens of a conversation and its tools, from its characters alone."""
    texts = [_in_full(message) for message in messages]
    texts += [tool.definition for tool in tools]
    sizes = (len(text.encode(errors="replace")) for text in texts)
    return sum(math.ceil(size / PROMPT_BYTES) + MESSAGE_TOKENS for size in sizes)


def _in_full(message: Message) -> str:
    calls = (text for call in message.tool_calls for text in (call.name, call.arguments))
    return message.content + message.reasoning + "".join(calls)


class Prompt(NamedTuple):
    """How long a conversation is, in tokens; 0 where no model has read it."""

    tokens: int
    is_estimate: bool


def prompt_of(trace: Trace) -> Prompt:
    """The conversation's tokens, as a server counted them when nothing was written yet.

    If none counted them, this is the estimate that the cost is computed from.
    """
    lengths = _Lengths(trace)
    read = [
        index
        for index, stretch in enumerate(trace.stretches)
        if stretch.purpose in _WRITING and not _was_unread(stretch)
    ]
    for index in read:
        reported = trace.stretches[index].prompt_tokens
        if reported is not None and lengths.is_bare(index):
            return Prompt(reported, False)
    return Prompt(lengths.conversation(trace.stretches[read[0]].author) if read else 0, bool(read))


def spent(trace: Trace, authors: Collection[Author] | None = None) -> Spent:
    """What these models have cost in the run so far; by default all, the scorer included."""
    used = {stretch.author for stretch in trace.stretches} & set(authors or Author)
    priced = {author: price for author, price in trace.prices.items() if author in used}
    scorer = Spent(0.0, False) if authors else spent_on_rewards(trace)
    if used and not priced:
        return Spent(None, False) if authors or not scorer.usd else scorer
    lengths = _Lengths(trace)
    parts = [
        _cost(stretch, priced[stretch.author], lengths, index)
        for index, stretch in enumerate(trace.stretches)
        if stretch.author in priced
    ]
    return Spent.together([*parts, scorer])


def spent_on_rewards(trace: Trace) -> Spent:
    """What the scorer has cost in the run so far; 0 if it was not asked."""
    log = trace.scorer
    if log is None or not log.requests:
        return Spent(0.0, False)
    if log.price is None:
        return Spent(None, False)
    read = [each for each in log.requests if each.failed is None]
    known = [each.prompt_tokens for each in read if each.prompt_tokens is not None]
    estimates = [_rated(trace, each.step) for each in read if each.prompt_tokens is None]
    return Spent((sum(known) + sum(estimates)) * log.price / 1e6, bool(estimates))


def _rated(trace: Trace, step: int) -> int:
    """An estimate of the tokens that a scorer reads to rate a step: the standing text before it."""
    texts = [each.text for each in trace.steps[:step] if each.standing]
    texts += [each.text for each in trace.steps[step : step + 1]]
    return prompt_tokens(trace.messages) + prompt_tokens([Message("assistant", "".join(texts))])


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
    """The lengths of the prompts of a run's requests, in tokens, reported or estimated."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._written_before = _written_before(trace)

    def prompt(self, index: int) -> int:
        """The estimated prompt of request ``index``."""
        stretch = self._trace.stretches[index]
        question = JUDGE_TOKENS if stretch.purpose is Purpose.JUDGE else 0
        return self.conversation(stretch.author) + self._written_before[index] + question

    def cached_share(self, author: Author) -> float:
        """The share of a model's prompts that was cached; 0 if its server does not report it."""
        reported = [
            (stretch.cached_tokens, stretch.prompt_tokens)
            for stretch in self._trace.stretches
            if stretch.author is author and stretch.cached_tokens and stretch.prompt_tokens
        ]
        total = sum(prompt for _, prompt in reported)
        return sum(cached for cached, _ in reported) / total if total else 0.0

    def written(self, index: int) -> int:
        """The least number of tokens that the text of a request can have."""
        texts = [step.text for step in self._trace.steps if step.stretch == index]
        if index == self._last_by(self._trace.answer_author):
            texts.append(self._trace.answer)
        return sum(len(text.encode(errors="replace")) for text in texts) // WRITTEN_BYTES

    def _last_by(self, author: Author | None) -> int | None:
        """The index of the last request for which ``author`` wrote; None if there is none."""
        indices = (
            index
            for index, stretch in enumerate(self._trace.stretches)
            if stretch.author is author and stretch.purpose in _WRITING
        )
        return max(indices, default=None)

    def is_bare(self, index: int) -> bool:
        """Whether a request's prompt was the conversation alone."""
        return not self._written_before[index]

    def conversation(self, author: Author) -> int:
        """As reported by the author's own server, else by the other one's, else estimated."""
        reported = [
            (stretch.author is not author, stretch.prompt_tokens - self._written_before[index])
            for index, stretch in enumerate(self._trace.stretches)
            if stretch.prompt_tokens is not None and stretch.purpose is not Purpose.JUDGE
        ]
        if reported:
            return max(1, min(reported, key=lambda length: length[0])[1])
        return prompt_tokens(self._trace.messages, self._trace.tools)


def _written_before(trace: Trace) -> Sequence[int]:
    """For each request the tokens of text after the conversation when it was sent."""
    drafted = [0] * len(trace.stretches)
    for step in trace.steps:
        if not step.standing:
            drafted[step.stretch] += step.tokens
    total, before = 0, []
    for index, stretch in enumerate(trace.stretches):
        before.append(total)
        if stretch.purpose in _WRITING:
            total += max(0, stretch.completion_tokens - stretch.unused_tokens - drafted[index])
    return before
