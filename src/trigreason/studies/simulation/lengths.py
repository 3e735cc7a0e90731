"""How many tokens the prompts of a run have, whichever requests it is simulated with.

A prompt is the question (with its template) and the thinking so far. Where a recorded request went
on from the same place, the length is the server's count. Elsewhere it is computed from the steps:

    tokens = question + own steps + ratio x the other model's steps

since only its author's tokenizer counts a step's tokens. ``ratio`` is fitted to the recorded
lengths (least squares), and is 1 where they do not determine it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from statistics import fmean
from typing import NamedTuple

from trigreason.reasoning import Author, Purpose, Stretch, Trace


class _RecordedLength(NamedTuple):
    """A prompt's recorded tokens, and those of the thinking in it: the author's and the other's."""

    purpose: Purpose
    prompt: int
    own: int
    other: int


class PromptLengths:
    """Tokens of prompts by the author's own tokenizer; ``step`` is the index of a step.

    Raises:
        ValueError: no recorded request says how long its prompt was.
    """

    def __init__(self, trace: Trace) -> None:
        self._standing = {author: _standing_before(trace, author) for author in Author}
        self._recorded: dict[tuple[Purpose, Author, int], int] = {}
        for purpose, step, stretch in _recorded(trace):
            if stretch.prompt_tokens is not None:
                self._recorded.setdefault((purpose, stretch.author, step), stretch.prompt_tokens)
        lengths = {author: list(self._recorded_lengths(trace, author)) for author in Author}
        self._ratio = {author: _ratio(lengths[author]) for author in Author}
        rests = {author: self._rests(author, lengths[author]) for author in Author}
        self._question = {author: _question(rests, author) for author in Author}
        self._judging = {
            author: rests[author].get(Purpose.JUDGE, self._question[author])
            - self._question[author]
            for author in Author
        }

    def thinking(self, author: Author, step: int) -> int:
        """The computed length of the question and the thinking that stands before ``step``."""
        own, other = self._standing[author][step], self._standing[author.other][step]
        return round(self._question[author] + own + self._ratio[author] * other)

    def write(self, author: Author, step: int) -> int:
        """The length of the prompt that has ``author`` write ``step``."""
        recorded = self._recorded.get((Purpose.WRITE, author, step))
        return self.thinking(author, step) if recorded is None else recorded

    def judge(self, author: Author, step: int, tokens: int) -> int:
        """The length of the prompt that has ``author`` score ``step``, which is ``tokens`` long."""
        recorded = self._recorded.get((Purpose.JUDGE, author, step))
        if recorded is not None:
            return recorded
        judged = self._ratio[author] * tokens + self._judging[author]
        return round(self.thinking(author, step) + judged)

    def answer(self, author: Author) -> int:
        """The length of the prompt that has ``author`` answer after all of the thinking."""
        end = len(self._standing[author]) - 1
        recorded = self._recorded.get((Purpose.ANSWER, author, end))
        return self.thinking(author, end) if recorded is None else recorded

    def _recorded_lengths(self, trace: Trace, author: Author) -> Iterator[_RecordedLength]:
        for (purpose, asked, step), prompt in self._recorded.items():
            if asked is author:
                own, other = self._standing[author][step], self._standing[author.other][step]
                if purpose is Purpose.JUDGE:
                    other += trace.steps[step].tokens
                yield _RecordedLength(purpose, prompt, own, other)

    def _rests(self, author: Author, lengths: list[_RecordedLength]) -> dict[Purpose, float]:
        """By purpose, the mean tokens of its prompts without the thinking."""
        ratio = self._ratio[author]
        rests: dict[Purpose, list[float]] = {}
        for each in lengths:
            rest = each.prompt - each.own - ratio * each.other
            rests.setdefault(each.purpose, []).append(rest)
        return {purpose: fmean(values) for purpose, values in rests.items()}


def _question(rests: Mapping[Author, Mapping[Purpose, float]], author: Author) -> float:
    """Tokens of the question; for a model that was never asked, those of the other model."""
    for asked in (author, author.other):
        for purpose in (Purpose.WRITE, Purpose.ANSWER):
            if purpose in rests[asked]:
                return rests[asked][purpose]
    raise ValueError("no request of this run tells how long its prompt was")


def _standing_before(trace: Trace, author: Author) -> list[int]:
    """Tokens of ``author`` that stand before each step, and after the last."""
    tokens = (each.tokens if each.standing and each.author is author else 0 for each in trace.steps)
    return list(accumulate(tokens, initial=0))


def _recorded(trace: Trace) -> Iterator[tuple[Purpose, int, Stretch]]:
    """Requests that succeeded, each with the index of its step; an answer's is one past the last.

    Scores and judged steps come in the same order. If one is missing (the judge was away), they
    cannot be matched, and no score is given.
    """
    first_steps: dict[int, int] = {}
    for index, step in enumerate(trace.steps):
        first_steps.setdefault(step.stretch, index)
    well = [(index, each) for index, each in enumerate(trace.stretches) if each.failed is None]
    for index, stretch in well:
        goes_on = stretch.purpose is Purpose.WRITE and index > max(first_steps, default=-1)
        if stretch.purpose is Purpose.ANSWER or goes_on:
            yield Purpose.ANSWER, len(trace.steps), stretch
        elif stretch.purpose is Purpose.WRITE and index in first_steps:
            first = first_steps[index]
            if not _is_broken_off(trace, first):
                yield Purpose.WRITE, first, stretch
    scores = [each for _, each in well if each.purpose is Purpose.JUDGE]
    judged = [index for index, each in enumerate(trace.steps) if each.score is not None]
    if len(scores) == len(judged):
        for index, stretch in zip(judged, scores, strict=True):
            yield Purpose.JUDGE, index, stretch


def _is_broken_off(trace: Trace, step: int) -> bool:
    """Whether a step's request began in its middle, or may have, since the one before failed."""
    record = trace.steps[step]
    stretch = trace.stretches[record.stretch]
    earlier = trace.stretches[record.stretch - 1] if record.stretch else None
    failed = earlier is not None and earlier.failed is not None
    return failed or stretch.completion_tokens < record.tokens


def _ratio(lengths: list[_RecordedLength]) -> float:
    """Own tokens per token of the other model, fitted to how prompts grow with its steps."""
    products = squares = 0.0
    for purpose in {each.purpose for each in lengths}:
        alike = [each for each in lengths if each.purpose is purpose]
        middle = fmean(each.other for each in alike)
        height = fmean(each.prompt - each.own for each in alike)
        products += sum((each.other - middle) * (each.prompt - each.own - height) for each in alike)
        squares += sum((each.other - middle) ** 2 for each in alike)
    return products / squares if squares and products > 0 else 1.0
