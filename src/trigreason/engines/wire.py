"""The JSON of a completions stream: the fields that are read, and the tokens in them.

Servers agree on little more than the names. The fields here are those of all servers together;
combinations that no server sends are not distinguished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from trigreason.engines.base import EngineError, EngineFailed, Usage
from trigreason.engines.fields import MATTERS, Count, Events, Text, Unfit
from trigreason.engines.refusals import refusal, status_of
from trigreason.reasoning import Alternative, Token, usable_logprob


class LikelyToken(msgspec.Struct):
    """A likely token, chat style."""

    token: str = ""
    logprob: float | None = None


class ChosenToken(msgspec.Struct):
    """A chosen token, chat style."""

    token: str = ""
    logprob: float | None = None
    id: int | None = None
    top_logprobs: list[LikelyToken] | None = None


class Logprobs(msgspec.Struct):
    """Either ``content`` (chat style) or parallel arrays (legacy style)."""

    content: list[ChosenToken] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float | None] | None] | None = None
    token_ids: list[int] | None = None


class Choice(msgspec.Struct):
    """One event's part of the continuation. A bare number in ``logprobs`` is its one token's.

    ``stop_reason`` (vLLM) and ``matched_stop`` (SGLang) are the stop string that ended the stream,
    or a number or null if a token did; unset if the server does not report it.
    """

    text: Text | None = None
    logprobs: Logprobs | float | None = None
    finish_reason: str | None = None
    stop_reason: int | str | UnsetType | None = UNSET
    matched_stop: int | str | UnsetType | None = UNSET

    @property
    def has_logprobs(self) -> bool:
        if isinstance(self.logprobs, Logprobs):
            return bool(self.logprobs.content or self.logprobs.tokens)
        return self.logprobs is not None

    @property
    def stopped_by(self) -> int | str | UnsetType | None:
        return self.stop_reason if self.matched_stop is UNSET else self.matched_stop


class SingleToken(msgspec.Struct):
    """The one token of an event (Together), beside the choice that holds its text."""

    logprob: float | None = None


class PromptDetails(msgspec.Struct):
    cached_tokens: Count | None = None


class ReportedUsage(msgspec.Struct):
    """Cached tokens have three names: in the details (OpenAI), here (Together), and DeepSeek's."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None
    cached_tokens: Count | None = None
    prompt_cache_hit_tokens: Count | None = None

    def add_to(self, usage: Usage) -> None:
        """Update ``usage`` with the reported numbers; the others stay as they were."""
        details = self.prompt_tokens_details
        cached_counts = (
            self.prompt_cache_hit_tokens,
            details.cached_tokens if details is not None else None,
            self.cached_tokens,
        )
        for count in cached_counts:
            if count is not None:
                usage.cached_tokens = count
                break
        if self.prompt_tokens is not None:
            usage.prompt_tokens = self.prompt_tokens
        if self.completion_tokens is not None:
            usage.completion_tokens = self.completion_tokens


class PromptProgress(msgspec.Struct):
    """llama.cpp's report on the prompt before the first token."""

    total: Count | None = None
    cache: Count | None = None


class Timings(msgspec.Struct):
    """llama.cpp's final report on how many tokens were cached, and how many generated."""

    cache_n: Count | None = None
    predicted_n: Count | None = None


class ReportedError(msgspec.Struct):
    message: str | None = None
    code: int | str | None = None
    type: str | None = None

    def typed(self, where: str) -> EngineError:
        """The typed error for this report."""
        kind = self.type or ""
        return refusal(status_of(self.code, kind), self.message or "", where, kind=kind)


_errors = Events(ReportedError)


def reported(error: object) -> ReportedError | None:
    """The value of an ``error`` field: an object, a text or anything; None if it is empty."""
    if not error:
        return None
    if isinstance(error, dict):
        return _errors.taken(error)
    return ReportedError(str(error))


class Chunk(msgspec.Struct):
    """One event of the stream.

    An error is in ``error``, as an object or a text, or is the event itself if its ``object`` is
    "error" (vLLM, until the end of 2025).
    """

    choices: Annotated[list[Choice], MATTERS] | None = None
    usage: ReportedUsage | None = None
    prompt_progress: PromptProgress | None = None
    timings: Timings | None = None
    token: SingleToken | None = None
    finish_reason: str | None = None
    error: Any = None
    object: str | None = None
    message: str | None = None
    code: int | str | None = None

    @property
    def parts(self) -> list[Choice]:
        """The choices, each with the event's fields beside them filled in (Together)."""
        choices = self.choices or []
        for choice in choices:
            choice.finish_reason = choice.finish_reason or self.finish_reason
            if choice.logprobs is None and self.token is not None:
                choice.logprobs = self.token.logprob
        return choices

    @property
    def failure(self) -> ReportedError | None:
        if not self.error and self.object == "error":
            return ReportedError(self.message, self.code)
        return reported(self.error)

    def add_to(self, usage: Usage) -> None:
        """Update ``usage`` with the token counts in this event."""
        if (progress := self.prompt_progress) is not None:
            ReportedUsage(progress.total, cached_tokens=progress.cache).add_to(usage)
        if self.usage is not None:
            self.usage.add_to(usage)
        if self.timings is not None and self.timings.cache_n is not None:
            usage.cached_tokens = self.timings.cache_n
        if self.timings is not None and self.timings.predicted_n is not None:
            usage.completion_tokens = self.timings.predicted_n


_events = Events(Chunk)


def decode_chunk(payload: bytes, where: str) -> Chunk:
    """The event in one ``data:`` line. Raises EngineFailed if it is none."""
    try:
        return _events.decode(payload)
    except Unfit as error:
        raise EngineFailed(
            f"the stream holds what is no completion ({error})",
            where,
            "Is this really an OpenAI-compatible completions endpoint?",
        ) from error


LONGEST_GAP = 2
"""The most characters between tokens that are part of a token without text of its own."""


def tokens_of(choice: Choice) -> list[Token]:
    """The tokens of one event. Their texts joined are always the event's text."""
    text, logprobs = choice.text or "", choice.logprobs
    if isinstance(logprobs, Logprobs) and logprobs.content:
        return aligned([_from_entry(entry) for entry in logprobs.content], text)
    if isinstance(logprobs, Logprobs) and logprobs.tokens:
        return aligned(_from_arrays(logprobs), text)
    if isinstance(logprobs, float):
        return [Token(text, usable_logprob(logprobs))]
    return [Token(text)] if text else []


def aligned(tokens: Sequence[Token], text: str) -> list[Token]:
    """The tokens with their texts changed, if need be, so that they add up to ``text``.

    The two differ if a token is not shown (the end of a turn) or holds part of a character, or if
    the server holds text back but sends the probabilities at once. Every token keeps its text if
    ``text`` has it. A character or two in between go to the textless token before them; if text
    is left at the end that cannot be placed so, the first token gets all of the text.
    """
    if "".join(token.text for token in tokens) == text:
        return list(tokens)
    if not tokens:
        return [Token(text)]
    texts: list[str] = []
    at = 0
    for token in tokens:
        gap = LONGEST_GAP if texts and not texts[-1] else 0
        start = text.find(token.text, at, at + len(token.text) + gap)
        if start > at:
            texts[-1] = text[at:start]
        texts.append(token.text if start >= 0 else "")
        at = start + len(token.text) if start >= 0 else at
    if at < len(text):
        fits = not texts[-1] and len(text) - at <= LONGEST_GAP
        texts = [*texts[:-1], text[at:]] if fits else [text, *[""] * (len(tokens) - 1)]
    return [replace(token, text=shown) for token, shown in zip(tokens, texts, strict=True)]


def _from_entry(entry: ChosenToken) -> Token:
    top = tuple(
        Alternative(other.token, logprob)
        for other in entry.top_logprobs or ()
        if (logprob := usable_logprob(other.logprob)) is not None
    )
    return Token(entry.token, usable_logprob(entry.logprob), entry.id, top)


def _from_arrays(logprobs: Logprobs) -> list[Token]:
    columns = zip_longest(
        logprobs.tokens or [],
        logprobs.token_logprobs or [],
        logprobs.top_logprobs or [],
        logprobs.token_ids or [],
    )
    return [
        Token(text or "", usable_logprob(logprob), token_id, _ranked(top or {}))
        for text, logprob, top, token_id in columns
    ]


def _ranked(reported: dict[str, float | None]) -> tuple[Alternative, ...]:
    usable = [
        Alternative(text, logprob)
        for text, value in reported.items()
        if (logprob := usable_logprob(value)) is not None
    ]
    return tuple(sorted(usable, key=lambda other: other.logprob, reverse=True))
