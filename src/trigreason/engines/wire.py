"""The JSON of a completions stream: the fields that are read, and tokens out of them."""

from __future__ import annotations

from itertools import zip_longest

import msgspec

from trigreason.engines.base import EngineFailed, Usage
from trigreason.reasoning import Alternative, Token, usable_logprob


class Candidate(msgspec.Struct):
    """A likely token, chat style."""

    token: str = ""
    logprob: float | None = None


class Entry(msgspec.Struct):
    """A chosen token, chat style."""

    token: str = ""
    logprob: float | None = None
    id: int | None = None
    top_logprobs: list[Candidate] | None = None


class Logprobs(msgspec.Struct):
    """Either ``content`` (chat style) or parallel arrays (legacy style)."""

    content: list[Entry] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class Choice(msgspec.Struct):
    text: str = ""
    logprobs: Logprobs | None = None
    finish_reason: str | None = None
    token_ids: list[int] | None = None

    @property
    def has_logprobs(self) -> bool:
        return self.logprobs is not None and bool(self.logprobs.content or self.logprobs.tokens)


class PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class ReportedUsage(msgspec.Struct):
    prompt_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None


class Progress(msgspec.Struct):
    """llama.cpp's word on the prompt before the first token."""

    total: int
    cache: int


class Timings(msgspec.Struct):
    """llama.cpp's last word; ``prompt_n`` are the prompt tokens that were not cached."""

    prompt_n: int | None = None
    cache_n: int | None = None


class ReportedError(msgspec.Struct):
    message: str = ""
    code: int | str | None = None


class Chunk(msgspec.Struct):
    """One event of the stream."""

    choices: list[Choice] = []
    usage: ReportedUsage | None = None
    prompt_progress: Progress | None = None
    timings: Timings | None = None
    error: ReportedError | None = None

    def add_to(self, usage: Usage) -> None:
        """Take over what this event says about the prompt."""
        if self.prompt_progress is not None:
            usage.prompt_tokens = self.prompt_progress.total
            usage.cached_tokens = self.prompt_progress.cache
        if self.usage is not None:
            usage.prompt_tokens = self.usage.prompt_tokens
            if self.usage.prompt_tokens_details is not None:
                usage.cached_tokens = self.usage.prompt_tokens_details.cached_tokens
        if self.timings is not None and self.timings.cache_n is not None:
            usage.cached_tokens = self.timings.cache_n


_decoder = msgspec.json.Decoder(Chunk)


def decode_chunk(payload: bytes, where: str) -> Chunk:
    """The event in one ``data:`` line. Raises EngineFailed where it is none."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EngineFailed(
            f"the stream holds what is no completion ({error})",
            where,
            "Is this really an OpenAI-compatible completions endpoint?",
        ) from error


def tokens_of(choice: Choice) -> list[Token]:
    """The tokens of one event. Their texts joined are always the event's text.

    Servers hold text back (for half characters, for stop strings) while probabilities go out at
    once, so token texts that do not add up to the event's text give way to it.
    """
    logprobs = choice.logprobs
    if logprobs is None or not (logprobs.content or logprobs.tokens):
        return [Token(choice.text)] if choice.text else []
    if logprobs.content:
        tokens = [_from_entry(entry) for entry in logprobs.content]
    else:
        tokens = _from_arrays(logprobs, choice.token_ids or [])
    if "".join(token.text for token in tokens) == choice.text:
        return tokens
    return [
        Token(choice.text if index == 0 else "", token.logprob, token.id, token.top)
        for index, token in enumerate(tokens)
    ]


def _from_entry(entry: Entry) -> Token:
    top = tuple(
        Alternative(other.token, logprob)
        for other in entry.top_logprobs or ()
        if (logprob := usable_logprob(other.logprob)) is not None
    )
    return Token(entry.token, usable_logprob(entry.logprob), entry.id, top)


def _from_arrays(logprobs: Logprobs, ids: list[int]) -> list[Token]:
    texts = logprobs.tokens or []
    columns = zip_longest(texts, logprobs.token_logprobs or [], logprobs.top_logprobs or [], ids)
    return [
        Token(
            text or "",
            usable_logprob(logprob),
            token_id,
            tuple(
                Alternative(other, value)
                for other, reported in sorted(
                    (top or {}).items(), key=lambda item: item[1], reverse=True
                )
                if (value := usable_logprob(reported)) is not None
            ),
        )
        for text, logprob, top, token_id in columns
    ]
