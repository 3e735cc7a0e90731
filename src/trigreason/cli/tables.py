"""Runs in numbers, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from trigreason.cli.words import percent
from trigreason.reasoning import Author, Purpose, Trace, Trigger
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import TRIGGER_NAMES


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over one method's runs: tokens, requests, seconds, USD; ``right`` is None if unknown."""

    runs: int
    right: int | None
    thinking_tokens: int
    srm_thinking_tokens: int
    generated: Mapping[Author, int]
    requests: Mapping[Author, int]
    rated: int
    rating_tokens: int | None
    failed: int
    ahead: int
    degraded: int
    drafts: int
    draft_tokens: int
    handovers: Counter[Trigger]
    answer_tokens: int
    seconds: float
    usd: float | None

    @property
    def smt(self) -> float | None:
        if not self.thinking_tokens:
            return None
        return self.srm_thinking_tokens / self.thinking_tokens

    @property
    def tokens_per_second(self) -> float:
        """Tokens of standing thinking and answers, per second of the runs."""
        return (self.thinking_tokens + self.answer_tokens) / self.seconds if self.seconds else 0.0


def add_up(traces: Sequence[Trace], right: int | None = None) -> Totals:
    """The totals of one method's runs."""
    uses = {author: [trace.use(author) for trace in traces] for author in Author}
    requests = [stretch for trace in traces for stretch in trace.stretches]
    handovers: Counter[Trigger] = Counter()
    for trace in traces:
        handovers.update(trace.handovers_by_trigger)
    logs = [trace.scorer for trace in traces if trace.scorer is not None]
    read = [log.prompt_tokens for log in logs]
    costs = [trace.usd for trace in traces]
    known = [cost for cost in costs if cost is not None]
    return Totals(
        runs=len(traces),
        right=right,
        thinking_tokens=sum(trace.thinking_tokens for trace in traces),
        srm_thinking_tokens=sum(use.standing_tokens for use in uses[Author.SRM]),
        generated={author: sum(use.completion_tokens for use in uses[author]) for author in Author},
        requests={author: sum(use.requests for use in uses[author]) for author in Author},
        rated=sum(len(log.requests) for log in logs),
        rating_tokens=None if None in read else sum(tokens or 0 for tokens in read),
        failed=sum(each.failed is not None for each in requests),
        ahead=sum(each.purpose in (Purpose.WARM, Purpose.HEDGE) for each in requests),
        degraded=sum(trace.degraded is not None for trace in traces),
        drafts=sum(len(trace.drafts) for trace in traces),
        draft_tokens=sum(step.tokens for trace in traces for step in trace.drafts),
        handovers=handovers,
        answer_tokens=sum(trace.answer_tokens for trace in traces),
        seconds=sum(trace.seconds for trace in traces),
        usd=sum(known)
        if len(known) == len(costs) and any(trace.prices for trace in traces)
        else None,
    )


Row = tuple[str, Callable[[Totals], str]]


def summary(columns: Mapping[str, Totals]) -> Table:
    """One column per method (by its name), one row per number; empty rows are left out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for method in columns:
        table.add_column(method_title(method), justify="right", no_wrap=True)
    totals = list(columns.values())
    for name, cell in _rows(totals):
        table.add_row(name, *(cell(each) for each in totals))
    return table


def _rows(totals: Sequence[Totals]) -> list[Row]:
    rows: list[Row] = []
    if all(each.right is not None for each in totals):
        rows.append(("right answers", lambda each: f"{each.right} of {each.runs}"))
    rows += [
        ("thinking tokens", lambda each: f"{each.thinking_tokens:,}"),
        ("  by the SRM (SMT)", lambda each: "–" if each.smt is None else percent(each.smt)),
        ("SRM tokens generated", lambda each: f"{each.generated[Author.SRM]:,}"),
        ("LRM tokens generated", lambda each: f"{each.generated[Author.LRM]:,}"),
        ("drafts (their tokens)", _drafts),
    ]
    fired = {trigger for each in totals for trigger in each.handovers}
    if fired:
        rows.append(("handovers to the LRM", lambda each: _count(each.handovers.total())))
        rows += [_handovers(trigger) for trigger in TRIGGER_NAMES if trigger in fired]
    rows += [
        ("SRM requests", lambda each: _count(each.requests[Author.SRM])),
        ("LRM requests", lambda each: _count(each.requests[Author.LRM])),
    ]
    if any(each.rated for each in totals):
        rows.append(("scorer requests (tokens read)", _ratings))
    if any(each.ahead for each in totals):
        rows.append(("  asked ahead (warm, hedge)", lambda each: _count(each.ahead)))
    if any(each.failed for each in totals):
        rows.append(("requests that failed", lambda each: _count(each.failed)))
    if any(each.degraded for each in totals):
        rows.append(("degraded runs", lambda each: _count(each.degraded)))
    rows += [
        ("seconds", lambda each: f"{each.seconds:.{1 if each.seconds >= 10 else 2}f}"),
        ("tokens/s", lambda each: f"{each.tokens_per_second:,.0f}"),
    ]
    if any(each.usd is not None for each in totals):
        rows.append(("USD", lambda each: "–" if each.usd is None else f"{each.usd:.4f}"))
    return rows


def _handovers(trigger: Trigger) -> Row:
    return f"  {TRIGGER_NAMES[trigger]}", lambda each: _count(each.handovers[trigger])


def _drafts(totals: Totals) -> str:
    return f"{totals.drafts} ({totals.draft_tokens:,})" if totals.drafts else "–"


def _ratings(totals: Totals) -> str:
    if not totals.rated:
        return "–"
    tokens = "?" if totals.rating_tokens is None else f"{totals.rating_tokens:,}"
    return f"{totals.rated:,} ({tokens})"


def _count(count: int) -> str:
    return f"{count:,}" if count else "–"
