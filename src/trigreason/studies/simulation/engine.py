"""A recorded run that answers as an engine, at the pace of a simulated server.

Who asks gets the recorded steps and the answer, token by token, without their words: what is
decided on them is recorded as well. What nobody recorded, a rewrite begun early and then not needed
or a prefix read ahead, is made up, as long as the step beside which it is asked for.

A stream's first token comes alone, and then a step with its last token, since nothing is decided
before; where a rewrite may be begun early, each token comes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
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
from trigreason.reasoning import THINK_TAGS, Author, StepEnd, StepRecord, Token
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.studies.simulation.deployment import Server
from trigreason.studies.simulation.lengths import PromptLengths
from trigreason.studies.simulation.recording import Recording

_ROUNDING = 1e-6
"""Of a token: what the sums of seconds may be off by."""

_SCORE = Token("0")
_WORD = "."
"""Stands for the words of a step."""


@dataclass(slots=True)
class _Stream:
    """A request whose first token is here at ``first``, in seconds of the clock.

    ``arrivals`` is what it brings. ``finish`` says how the server then ends it; None where it would
    write on for as long as it is let. ``steps`` are the recorded steps that it brings.
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
        clock = asyncio.get_running_loop()
        for tokens in self.arrivals:
            rate = self.server.token_rate
            at = self.first + (self.sent + len(tokens) - 1) / (rate or inf)
            if (wait := at - clock.time()) > 0:
                await asyncio.sleep(wait)
            self.sent += len(tokens)
            yield tokens
        if self.fails:
            raise _away("the recorded model")
        if self.ends is None:
            await asyncio.Event().wait()
        self.finish = self.ends

    def close(self, now: float) -> None:
        """Nothing more is wanted; the server knows, and stops, a little later."""
        moment, rate = now + self.server.stops_after, self.server.token_rate
        limit = inf if self.ends is None else sum(map(len, self.arrivals))
        written = 0
        if moment >= self.first and rate is not None:
            written = floor((moment - self.first) * rate + _ROUNDING) + 1
        elif moment >= self.first and self.ends is not None:
            written = int(limit)
        self.usage.completion_tokens = max(self.sent, int(min(written, limit)))


class RecordedEngine(Engine):
    """One model of the ``recording`` on ``server``, whose cache is empty at first.

    ``closely`` gives each token as it comes.
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
        self._known = 0

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[_Stream]:
        """What was recorded behind the request's prefix.

        Raises:
            EngineUnreachable: the model had failed for good before.
        """
        index, clock = self._recording.index, asyncio.get_running_loop()
        if self._recording.is_away(self._author, index):
            raise _away(self.model)
        steps = self._recording.trace.steps
        if len(request.prefix.messages) > len(self._recording.trace.messages):
            prompt = self._lengths.judge(self._author, index, steps[index].tokens)
            stream = self._sent(prompt)
            stream.arrivals, stream.ends = [(_SCORE,)], Finish.LENGTH
            self._knows(index + steps[index].standing)
        elif END_OF_THINKING in request.prefix.written:
            stream = self._sent(self._lengths.answer(self._author))
            stream.arrivals = list(_answer(self._recording.answer_tokens(self._author)))
            stream.ends = Finish.END_OF_TURN
        elif request.max_tokens == 1:
            stream = self._sent(self._lengths.thinking(self._author, index))
            stream.arrivals, stream.ends = [(Token(_WORD),)], Finish.LENGTH
            self._knows(index)
        else:
            is_early = index < len(steps) and steps[index].author is not self._author
            is_needed = is_early and not steps[index].standing and index + 1 < len(steps)
            stream = self._sent(self._lengths.write(self._author, index + is_needed))
            self._knows(index)
            if is_early and not is_needed:
                made_up = replace(steps[index], end=StepEnd.BLANK_LINE, logprobs=())
                stream.arrivals = list(self._step(made_up))
                stream.ends = Finish.STOP if request.one_step else None
            else:
                self._write_on(stream, index + is_needed, one_step=request.one_step)
        try:
            yield stream
        finally:
            stream.close(clock.time())

    def _sent(self, prompt: int) -> _Stream:
        cached = self._server.cached(self._known, prompt)
        first = asyncio.get_running_loop().time() + self._server.first_token_after(prompt - cached)
        return _Stream(self._server, first, Usage(prompt, cached))

    def _knows(self, index: int) -> None:
        """The server has read the question and the thinking that stands before step ``index``."""
        self._known = max(self._known, self._lengths.thinking(self._author, index))

    def _write_on(self, stream: _Stream, index: int, *, one_step: bool) -> None:
        """The recorded steps from ``index`` on that this author wrote in a row."""
        recording, steps = self._recording, self._recording.trace.steps
        if index == len(steps):
            stream.ends = Finish.END_OF_TURN
            return
        for place in range(index, len(steps)):
            record = steps[place]
            stream.arrivals += self._step(record)
            self._has_written(place)
            if record.end is StepEnd.END_OF_THINKING and record.standing:
                left = recording.answer_tokens(self._author)
                stream.arrivals += _answer(min(left, 1) if one_step else left, BLANK_LINE)
                stream.ends = Finish.STOP if one_step else Finish.END_OF_TURN
            elif record.end is StepEnd.END_OF_STREAM:
                stream.ends = Finish.END_OF_TURN
            elif recording.is_away(self._author, place + 1):
                stream.fails = True
            elif record.end is StepEnd.CUT_OFF and recording.trace.limit != "thinking_tokens":
                stream.ends = Finish.LENGTH
            elif one_step:
                stream.ends = Finish.STOP
            is_over = stream.ends is not None or stream.fails or not record.standing
            if is_over or place + 1 == len(steps) or steps[place + 1].author is not self._author:
                break
        if len(stream.arrivals[0]) > 1:
            first = stream.arrivals[0]
            stream.arrivals[:1] = [first[:1], first[1:]]

    def _step(self, record: StepRecord) -> Iterator[Sequence[Token]]:
        """The tokens of a step, with a text that ends as its own does."""
        match record.end:
            case StepEnd.END_OF_THINKING:
                text = END_OF_THINKING
            case StepEnd.END_OF_STREAM | StepEnd.CUT_OFF:
                text = _WORD
            case _:
                text = f"{_WORD}{BLANK_LINE}"
        tokens = [Token("")] * (record.tokens - 1) + [Token(text)]
        if not self._closely:
            yield tokens
            return
        if record.logprobs:
            tokens = [
                replace(token, logprob=logprob)
                for token, logprob in zip(tokens, record.logprobs, strict=True)
            ]
        for token in tokens:
            yield (token,)

    def _has_written(self, index: int) -> None:
        """The server knows a step that it wrote; of a draft, what its rewrite has in common."""
        steps = self._recording.trace.steps
        if steps[index].standing:
            self._knows(index + 1)
        elif index + 1 < len(steps):
            before, behind = (self._lengths.thinking(self._author, index + i) for i in (0, 2))
            common = _tokens_in_common(steps[index], steps[index + 1])
            self._known = max(self._known, min(before + common, behind))


def _answer(tokens: int, text: str = _WORD) -> Iterator[Sequence[Token]]:
    """An answer's first token by itself, and the others with the last."""
    if tokens:
        yield (Token(text),)
    if tokens > 1:
        yield [Token(_WORD)] * (tokens - 1)


def _tokens_in_common(draft: StepRecord, rewrite: StepRecord) -> int:
    """The draft's tokens with which the rewrite begins as well."""
    if not draft.text:
        return 0
    alike = sum(1 for _ in takewhile(bool, map(eq, draft.text, rewrite.text)))
    return draft.tokens * alike // len(draft.text)


def _away(model: str) -> EngineUnreachable:
    return EngineUnreachable("it was away when the run was recorded", model, "Record it again.")
