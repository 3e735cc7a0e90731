"""Seconds on a quiet machine, beside the ceiling that the models' own speeds allow.

Both models' speeds are measured before the runs and after them. Before each run the models are
asked something else, so that none finds its question read already. Rows take turns at who is
first. Every run is a line of ``timing.jsonl``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

import msgspec
from rich.table import Table

from bench.real_pair.ceiling import Speed, Work, beyond, ceiling, work
from bench.real_pair.pair import SAMPLING
from bench.real_pair.questions import Drawn
from bench.real_pair.records import append, decoded
from bench.real_pair.rows import LABELS, LRM_ONLY, rows
from bench.real_pair.running import Session
from trigreason.engines.base import Engine, Prefix, Request
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Message, Thresholds

FILE = "timing.jsonl"
SOMETHING_ELSE = Prefix((Message("user", "What is the capital of Norway?"),))
WRITTEN = 64
"""Tokens that a speed is measured over."""

ROUNDS = 3


class Speeds(msgspec.Struct, frozen=True, kw_only=True, tag="speeds"):
    """The models' speeds at one moment of a session, and how busy the machine was (load)."""

    session: str
    machine: str
    load: float
    speeds: dict[Author, Speed]


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """A run of a session. ``setting`` is the digest of its setting."""

    session: str
    question: str
    row: str
    setting: str
    seconds: float
    work: dict[Author, Work]


async def measure(
    session: Session, drawn: Drawn, thresholds: Thresholds, items: int, machine: str, load: float
) -> None:
    """Time every row on the first ``items`` evaluated questions, all of them anew."""
    file = session.ledger.folder / FILE
    name = time.strftime("%Y-%m-%dT%H:%M:%S")
    questions = drawn.evaluation[:items]
    prompts = [each.prompt for each in questions]
    append(file, await _speeds(session.pair, name, machine, load, prompts))
    table = rows(thresholds)
    for number, question in enumerate(questions):
        first = number % len(table)
        for row in (*table[first:], *table[:first]):
            for author in Author:
                await _stream(session.pair.engine(author), SOMETHING_ELSE, 1, None)
            trace = await session.answer(row.setting, question)
            timed = Timed(
                session=name,
                question=question.id,
                row=row.label,
                setting=session.digest(row.setting),
                seconds=trace.seconds,
                work={author: work(trace, author) for author in Author},
            )
            append(file, timed)
            session.say(f"{question.id}, {row.label}: {trace.seconds:.1f} s")
    append(file, await _speeds(session.pair, name, machine, load, prompts))


async def _speeds(
    pair: Pair, session: str, machine: str, load: float, prompts: Sequence[str]
) -> Speeds:
    """Each model's speed, alone: with logprobs where a run needs them, which is the SRM's side."""
    found = {
        Author.SRM: await speed(pair.srm, prompts, alternatives=0),
        Author.LRM: await speed(pair.lrm, prompts, alternatives=None),
    }
    return Speeds(session=session, machine=machine, load=load, speeds=found)


async def speed(engine: Engine, prompts: Sequence[str], alternatives: int | None) -> Speed:
    """Medians of a few rounds, each with a long prompt that the model has never read."""
    written, read = [], []
    for number in range(ROUNDS):
        turned = [*prompts[number % len(prompts) :], *prompts[: number % len(prompts)]]
        new = str(time.time_ns())
        prefix = Prefix((Message("user", "\n\n".join([new, *turned[:ROUNDS]])),))
        await _stream(engine, SOMETHING_ELSE, 1, alternatives)
        first, per_token, fresh = await _stream(engine, prefix, WRITTEN, alternatives)
        written.append(per_token)
        read.append((first - per_token) / fresh)
    return Speed(written=median(written), read=median(read))


async def _stream(
    engine: Engine, prefix: Prefix, tokens: int, alternatives: int | None
) -> tuple[float, float, int]:
    """Seconds to the first token, seconds per token after it, and prompt tokens that were read.

    Raises:
        ValueError: the server did not count the prompt.
    """
    began = time.perf_counter()
    first = last = began
    opening = engine.send(Request(prefix, SAMPLING, max_tokens=tokens, alternatives=alternatives))
    async with opening as stream:
        async for _ in stream:
            last = time.perf_counter()
            first = last if first == began else first
    usage = stream.usage
    count = usage.completion_tokens
    if usage.prompt_tokens is None or usage.cached_tokens is None or count is None:
        raise ValueError("the server did not count the tokens of a request")
    per_token = (last - first) / (count - 1) if count > 1 else 0.0
    return first - began, per_token, usage.prompt_tokens - usage.cached_tokens


def last_session(file: Path) -> tuple[list[Speeds], list[Timed]]:
    """The speeds and the runs of the newest session in a file; nothing where there is none."""
    every: list[Speeds | Timed] = list(decoded(file, Speeds | Timed))
    speeds = [each for each in every if isinstance(each, Speeds)]
    if not speeds:
        return [], []
    name = speeds[-1].session
    runs = [each for each in every if isinstance(each, Timed) and each.session == name]
    return [each for each in speeds if each.session == name], runs


def mean_speeds(measured: Sequence[Speeds]) -> dict[Author, Speed]:
    """The mean of what was measured at several moments."""
    return {
        author: Speed(
            written=fmean(each.speeds[author].written for each in measured),
            read=fmean(each.speeds[author].read for each in measured),
        )
        for author in Author
    }


def table(measured: Sequence[Speeds], runs: Sequence[Timed]) -> Table:
    """Means per question; ratios are those of the means, over the questions that all rows have."""
    speeds = mean_speeds(measured)
    by_row = {
        label: {each.question: each for each in runs if each.row == label} for label in LABELS
    }
    by_row = {label: own for label, own in by_row.items() if own}
    common = set.intersection(*(set(own) for own in by_row.values()))
    title = f"Seconds per question, {len(common)} questions, session {measured[0].session}"
    headings = ("", "seconds", "x LRM only", "ceiling", "run / ceiling", *CAUSES, "requests")
    shown = Table(*headings, title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    alone = by_row.get(LRM_ONLY.label)
    reference = fmean(alone[each].seconds for each in common) if alone and common else None
    for label, own in by_row.items() if common else ():
        shown.add_row(label, *_cells([own[each] for each in common], speeds, reference))
    return shown


CAUSES = ("written after a close, s", "read again, s", "the rest, s")


def _cells(
    runs: Sequence[Timed], speeds: Mapping[Author, Speed], reference: float | None
) -> Iterator[str]:
    seconds = fmean(each.seconds for each in runs)
    least = fmean(ceiling(each.work, speeds) for each in runs)
    causes = [beyond(each.work, speeds) for each in runs]
    known = [fmean(each[name] for each in causes) for name in causes[0]]
    yield f"{seconds:.1f}"
    yield "–" if reference is None else f"{seconds / reference:.2f}"
    yield f"{least:.1f}"
    yield f"{seconds / least:.2f}"
    yield from (f"{each:.1f}" for each in (*known, seconds - least - sum(known)))
    yield f"{fmean(sum(done.requests for done in each.work.values()) for each in runs):.1f}"


def speeds_in_words(measured: Sequence[Speeds]) -> Iterator[str]:
    """Both models' speeds before and after the runs, and on what machine."""
    yield f"{measured[0].machine}; load {measured[0].load:.2f} at the beginning"
    for each in measured:
        yield "; ".join(
            f"{author.upper()} writes {1 / own.written:.1f} and reads {1 / own.read:.1f} tokens/s"
            for author, own in sorted(each.speeds.items(), reverse=True)
        )
