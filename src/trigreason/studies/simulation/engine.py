"""A recorded run that answers as an engine, at the pace of a simulated server.

Requests get the recorded steps and the answer, token by token, without their text: the decisions
made on the text are recorded as well. An early rewrite that was not needed is not recorded, nor is
a prefix read ahead: they are made up, as long as the step beside which they are requested.

A stream delivers its first token alone and then each step at once with its last token, since
nothing is decided before; where a rewrite may begin early, it delivers each token by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from math import floor, inf
from operator import eq

from trigreason.engines.base import (
    BLANK_LINE,
    Capabilities,
    Engine,
    EngineUnreachable,
    Finish,
    Request,
    Usage,
)
from trigreason.reasoning import THINK_TAGS, Author, StepBreak, StepEnd, StepRecord, Token
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.running.deadline import now
from trigreason.studies.simulation.deployment import Server
from trigreason.studies.simulation.lengths import PromptLengths
from trigreason.studies.simulation.recording import Recording

_ROUNDING = 1e-6
"""The part of a token by which sums of seconds may be off."""

_SCORE = Token("0")
_WORD = "."
"""The text in place of a step's words."""


@dataclass(slots=True)
class _Stream:
    """A response whose first token arrives at ``first``, in seconds of the clock.

    ``arrivals`` are the tokens that it delivers, in pieces. ``ends`` says how the server then ends
    it; None where the server writes until the stream is closed. ``fails``: it breaks off instead.
    """

    server: Server
    first: float
    usage: Usage
    arrivals: list[Sequence[Token]] = field(default_factory=list)
    ends: Finish | None = None
    fails: bool = False
    finish: Finish | None = None
    sent: int = 0

    async def __aiter__(self) -> AsyncGenerator[Sequence[Token], None]:
        rate = self.server.token_rate or inf
        for tokens in self.arrivals:
            last = self.sent + len(tokens) - 1
            if (wait := self.first + last / rate - now()) > 0:
                await asyncio.sleep(wait)
            self.sent += len(tokens)
            yield tokens
        if self.fails:
            raise _away()
        if self.ends is None:
            await asyncio.Event().wait()
        self.finish = self.ends

    def close(self) -> None:
        """Count the tokens that the server has written when it learns that the stream is closed.

        Where it has neither a rate nor an end, only the tokens that were sent are known.
        """
        seconds = now() + self.server.stops_after - self.first
        rate = self.server.token_rate
        counts: list[int] = []
        if seconds >= 0 and rate is not None:
            counts.append(floor(seconds * rate + _ROUNDING) + 1)
        if seconds >= 0 and self.ends is not None:
            counts.append(sum(map(len, self.arrivals)))
        self.usage.completion_tokens = max(self.sent, min(counts, default=0))


class RecordedEngine(Engine):
    """One model of the ``recording`` on ``server``, whose cache is empty at first.

    ``closely`` delivers each token by itself.
    """

    def __init__(
        self,
        author: Author,
        recording: Recording,
        lengths: PromptLengths,
        server: Server,
        *,
        closely: bool = False,
    ) -> None:
        trace = recording.trace
        self.model = trace.models.get(author, author)
        self.capabilities = Capabilities(bills_closed_streams=server.bills_closed_streams)
        self.tags = None if trace.in_the_open else THINK_TAGS
        self._author = author
        self._recording = recording
        self._lengths = lengths
        self._server = server
        self._closely = closely
        line_end = trace.step_break is StepBreak.LINE_END
        self._step_end = f"{_WORD}\n" if line_end else f"{_WORD}{BLANK_LINE}"
        self._cached = 0

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[_Stream]:
        """The recorded continuation of the request's prefix.

        Raises:
            EngineUnreachable: the model had failed for good by then.
        """
        index = self._recording.index
        if self._recording.is_away(self._author, index):
            raise _away()
        stream = self._response(request, index)
        try:
            yield stream
        finally:
            stream.close()

    def _response(self, request: Request, index: int) -> _Stream:
        """The response to a request that is sent while the step ``index`` is under way or next."""
        trace = self._recording.trace
        if len(request.prefix.messages) > len(trace.messages):
            return self._score(index)
        if END_OF_THINKING in request.prefix.written:
            return self._answer()
        if request.max_tokens == 1:
            return self._read_ahead(index)
        if index == len(trace.steps) or trace.steps[index].author is self._author:
            return self._written(index, index, one_step=request.one_step)
        if not trace.steps[index].standing and index + 1 < len(trace.steps):
            return self._written(index, index + 1, one_step=request.one_step)
        return self._unneeded_rewrite(index, one_step=request.one_step)

    def _score(self, index: int) -> _Stream:
        step = self._recording.trace.steps[index]
        stream = self._begin(self._lengths.judge(self._author, index, step.tokens))
        stream.arrivals, stream.ends = [(_SCORE,)], Finish.LENGTH
        self._cache_before(index + step.standing)
        return stream

    def _answer(self) -> _Stream:
        stream = self._begin(self._lengths.answer(self._author))
        stream.arrivals = list(_answer(self._recording.answer_tokens(self._author)))
        stream.ends = Finish.END_OF_TURN
        return stream

    def _read_ahead(self, index: int) -> _Stream:
        stream = self._begin(self._lengths.thinking(self._author, index))
        stream.arrivals, stream.ends = [(Token(_WORD),)], Finish.LENGTH
        self._cache_before(index)
        return stream

    def _unneeded_rewrite(self, index: int, *, one_step: bool) -> _Stream:
        """A rewrite of a step that stands, with as many tokens."""
        stream = self._begin(self._lengths.write(self._author, index))
        step = self._recording.trace.steps[index]
        stream.arrivals = list(self._step(step.tokens, self._step_end, ()))
        stream.ends = Finish.STOP if one_step else None
        self._cache_before(index)
        return stream

    def _begin(self, prompt: int) -> _Stream:
        cached = self._server.cached(self._cached, prompt)
        first = now() + self._server.first_token_after(prompt - cached)
        return _Stream(self._server, first, Usage(prompt, cached))

    def _cache_before(self, index: int) -> None:
        """The server now caches the question and the thinking that stands before step ``index``."""
        self._cached = max(self._cached, self._lengths.thinking(self._author, index))

    def _written(self, asked_at: int, index: int, *, one_step: bool) -> _Stream:
        """The recorded steps that this author wrote in a row, from ``index`` on."""
        steps = self._recording.trace.steps
        stream = self._begin(self._lengths.write(self._author, index))
        self._cache_before(asked_at)
        if index == len(steps):
            stream.ends = Finish.END_OF_TURN
        for place in range(index, len(steps)):
            record = steps[place]
            stream.arrivals += self._step(record.tokens, self._ending(record), record.logprobs)
            self._cache_step(place)
            if record.end is StepEnd.END_OF_THINKING and record.standing:
                left = self._recording.answer_tokens(self._author)
                stream.arrivals += _answer(min(left, 1) if one_step else left, BLANK_LINE)
            stream.fails = self._recording.is_away(self._author, place + 1)
            stream.ends = None if stream.fails else self._end_behind(record, one_step=one_step)
            is_over = stream.ends is not None or stream.fails or not record.standing
            if is_over or place + 1 == len(steps) or steps[place + 1].author is not self._author:
                break
        if stream.arrivals and len(stream.arrivals[0]) > 1:
            first = stream.arrivals[0]
            stream.arrivals[:1] = [first[:1], first[1:]]
        return stream

    def _end_behind(self, record: StepRecord, *, one_step: bool) -> Finish | None:
        """How the server ends a stream after this step and any answer; None if it does not."""
        if record.end is StepEnd.END_OF_THINKING and record.standing:
            return Finish.STOP if one_step else Finish.END_OF_TURN
        if record.end is StepEnd.END_OF_STREAM:
            return Finish.END_OF_TURN
        if record.end is StepEnd.CUT_OFF and self._recording.trace.limit != "thinking_tokens":
            return Finish.LENGTH
        return Finish.STOP if one_step else None

    def _ending(self, record: StepRecord) -> str:
        """A text that ends a step as the recorded one ended."""
        match record.end:
            case StepEnd.END_OF_THINKING:
                return END_OF_THINKING
            case StepEnd.END_OF_STREAM | StepEnd.CUT_OFF:
                return _WORD
            case _:
                return self._step_end

    def _step(
        self, tokens: int, ending: str, logprobs: Sequence[float | None]
    ) -> Iterator[Sequence[Token]]:
        """A step of so many tokens, the last of which is ``ending``."""
        if not self._closely:
            yield [Token("")] * (tokens - 1) + [Token(ending)]
            return
        texts = [""] * (tokens - 1) + [ending]
        for text, logprob in zip(texts, logprobs or [None] * tokens, strict=True):
            yield (Token(text, logprob),)

    def _cache_step(self, index: int) -> None:
        """The server now caches a step that it wrote; of a draft, only what its rewrite shares."""
        steps = self._recording.trace.steps
        if steps[index].standing:
            self._cache_before(index + 1)
        elif index + 1 < len(steps):
            before, behind = (self._lengths.thinking(self._author, index + i) for i in (0, 2))
            common = _tokens_in_common(steps[index], steps[index + 1])
            self._cached = max(self._cached, min(before + common, behind))


def _answer(tokens: int, text: str = _WORD) -> Iterator[Sequence[Token]]:
    """An answer's first token by itself, and then all others at once."""
    if tokens:
        yield (Token(text),)
    if tokens > 1:
        yield [Token(_WORD)] * (tokens - 1)


def _tokens_in_common(draft: StepRecord, rewrite: StepRecord) -> int:
    """About how many tokens the draft and its rewrite have in common at their beginning."""
    if not draft.text:
        return 0
    alike = sum(1 for _ in takewhile(bool, map(eq, draft.text, rewrite.text)))
    return draft.tokens * alike // len(draft.text)


def _away() -> EngineUnreachable:
    return EngineUnreachable("it was away when the run was recorded", "the model", "")
