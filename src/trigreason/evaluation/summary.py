"""Summarises the runs of an arm: the numbers behind every table of a comparison.

``summarise([measured(run) for run in runs])`` is one arm's line of a table, and
``accuracy_difference`` compares two arms' accuracies. Both need only the few numbers that
:func:`measured` keeps of a run, so runs can be read from a log one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import (
    SHARES,
    Difference,
    Estimate,
    mean_of,
    paired,
    pass_at_1,
)
from trigreason.reasoning import Author, StopReason, Trigger

Key = TypeVar("Key", Author, Trigger)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNumbers:
    """The numbers of one run: tokens, requests, seconds, USD; None if unknown.

    Attributes:
        sample: the question's id.
        group: the part of the task that the question belongs to.
        epoch: which of several answers to the question, from 1 on.
        right: whether the answer is the wanted one; None if it was not scored.
        smt: share of the final thinking's tokens that the SRM wrote (0 to 1).
        standing: tokens of the final thinking, by author.
        answer: tokens of the answer, by author.
        drafts: steps that were thrown away.
        draft_tokens: tokens of these drafts.
        judging: tokens of the judge's scores.
        unreadable: scores that could not be read and counted as 0.
        ratings: requests for the scorer's rewards.
        generated: all tokens that arrived, used or not, by author.
        requests: requests, by author.
        handovers: handovers to the LRM, by trigger.
        truncated: whether a budget was spent before there was an answer.
        degraded: whether a model was unavailable.
    """

    sample: str
    group: str
    epoch: int
    right: bool | None
    smt: float | None
    standing: Mapping[Author, int]
    answer: Mapping[Author, int]
    drafts: int
    draft_tokens: int
    judging: int
    unreadable: int
    ratings: int
    generated: Mapping[Author, int]
    requests: Mapping[Author, int]
    handovers: Mapping[Trigger, int]
    truncated: bool
    degraded: bool
    seconds: float
    usd: float | None


def measured(run: Run) -> RunNumbers:
    """The numbers of one run."""
    trace = run.trace
    uses = {author: trace.use(author) for author in Author}
    return RunNumbers(
        sample=run.sample,
        group=run.group,
        epoch=run.epoch,
        right=run.right,
        smt=trace.smt,
        standing={author: use.standing_tokens for author, use in uses.items()},
        answer={author: use.answer_tokens for author, use in uses.items()},
        drafts=len(trace.drafts),
        draft_tokens=sum(use.draft_tokens for use in uses.values()),
        judging=sum(use.judge_tokens for use in uses.values()),
        unreadable=trace.unreadable_scores,
        ratings=len(trace.scorer.requests) if trace.scorer else 0,
        generated={author: use.completion_tokens for author, use in uses.items()},
        requests={author: use.requests for author, use in uses.items()},
        handovers=trace.handovers_by_trigger,
        truncated=trace.stop is StopReason.TRUNCATED,
        degraded=trace.degraded is not None,
        seconds=trace.seconds,
        usd=trace.usd if trace.prices else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm's :class:`RunNumbers`: every ``Estimate`` is a mean per run, clustered by question.

    ``accuracy`` is over scored runs and ``smt`` over runs with thinking; each is None if there are
    none. ``thinking`` is ``standing`` of both authors. ``usd`` is None unless it is known for every
    run. ``seconds_median`` and ``seconds_p95`` are over runs.
    """

    questions: int
    runs: int
    accuracy: Estimate | None
    smt: Estimate | None
    thinking: Estimate
    standing: Mapping[Author, Estimate]
    answer: Mapping[Author, Estimate]
    drafts: Estimate
    draft_tokens: Estimate
    judging: Estimate
    unreadable: Estimate
    ratings: Estimate
    generated: Mapping[Author, Estimate]
    requests: Mapping[Author, Estimate]
    handovers: Mapping[Trigger, Estimate]
    truncated: Estimate
    degraded: int
    seconds: Estimate
    seconds_median: float
    seconds_p95: float
    usd: Estimate | None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens of final thinking and answers, per second of a run."""
        if not self.seconds.value:
            return None
        tokens = [*self.standing.values(), *self.answer.values()]
        return sum(count.value for count in tokens) / self.seconds.value

    def to_json(self) -> dict[str, Any]:
        """Plain values, with null for the ends of an infinite interval."""
        values = {field.name: plain(getattr(self, field.name)) for field in fields(self)}
        return values | {"tokens_per_second": self.tokens_per_second}


def summarise(runs: Sequence[RunNumbers]) -> ArmSummary:
    """Summarise the runs of one arm; their order does not matter.

    Triggers that never fired are not in ``handovers``.

    Raises:
        ValueError: there is no run.
    """
    if not runs:
        raise ValueError("there is no run to summarise")
    ordered = sorted(runs, key=lambda run: (run.sample, run.epoch))

    def mean(value: Callable[[RunNumbers], float]) -> Estimate:
        return _not_negative(mean_of(_samples(ordered, value)))

    def by_author(counts: Callable[[RunNumbers], Mapping[Author, int]]) -> dict[Author, Estimate]:
        return {author: mean(_count(counts, author)) for author in Author}

    fired = [trigger for trigger in Trigger if any(run.handovers.get(trigger) for run in ordered)]
    shares = _samples(ordered, lambda run: run.smt)
    costs = [run.usd for run in ordered if run.usd is not None]
    seconds = [run.seconds for run in ordered]
    return ArmSummary(
        questions=len({run.sample for run in ordered}),
        runs=len(ordered),
        accuracy=accuracy(ordered),
        smt=mean_of(shares).clipped(*SHARES) if shares else None,
        thinking=mean(lambda run: sum(run.standing.values())),
        standing=by_author(lambda run: run.standing),
        answer=by_author(lambda run: run.answer),
        drafts=mean(lambda run: run.drafts),
        draft_tokens=mean(lambda run: run.draft_tokens),
        judging=mean(lambda run: run.judging),
        unreadable=mean(lambda run: run.unreadable),
        ratings=mean(lambda run: run.ratings),
        generated=by_author(lambda run: run.generated),
        requests=by_author(lambda run: run.requests),
        handovers={trigger: mean(_count(lambda run: run.handovers, trigger)) for trigger in fired},
        truncated=pass_at_1(_samples(ordered, lambda run: run.truncated)),
        degraded=sum(run.degraded for run in ordered),
        seconds=mean(lambda run: run.seconds),
        seconds_median=percentile(seconds, 0.5),
        seconds_p95=percentile(seconds, 0.95),
        usd=mean(lambda run: run.usd or 0.0) if len(costs) == len(ordered) else None,
    )


def accuracy(runs: Iterable[RunNumbers]) -> Estimate | None:
    """pass@1 over the runs that were scored; None if none was."""
    outcomes = _outcomes(runs)
    return pass_at_1(outcomes) if outcomes else None


def accuracy_difference(
    first: Iterable[RunNumbers], second: Iterable[RunNumbers]
) -> Difference | None:
    """The first arm's accuracy minus the second's, on the questions of both.

    None if no question was scored in both.
    """
    one, other = _outcomes(first), _outcomes(second)
    return paired(one, other, within=SHARES) if one.keys() & other.keys() else None


def accuracy_by_group(runs: Sequence[RunNumbers]) -> dict[str, Estimate]:
    """pass@1 of each group of questions, by its name; empty if there is only one group."""
    groups: dict[str, list[RunNumbers]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    if len(groups) < 2:
        return {}
    estimates = {name: accuracy(group) for name, group in sorted(groups.items())}
    return {name: estimate for name, estimate in estimates.items() if estimate is not None}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value with at least ``share`` (0 to 1) of the values at or below it."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def plain(value: Any) -> Any:
    """Plain values: estimates and differences as objects, infinite numbers as null."""
    if isinstance(value, Estimate | Difference):
        numbers = value._asdict().items()
        return {name: number if math.isfinite(number) else None for name, number in numbers}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    return value


def _not_negative(estimate: Estimate) -> Estimate:
    """The estimate of an amount, with its interval cut at 0."""
    return estimate.clipped(0.0, math.inf) if estimate.has_interval else estimate


def _count(
    counts: Callable[[RunNumbers], Mapping[Key, int]], key: Key
) -> Callable[[RunNumbers], float]:
    """A function that gives one of a run's counts, 0 if it has none."""
    return lambda run: counts(run).get(key, 0)


def _outcomes(runs: Iterable[RunNumbers]) -> dict[str, list[float]]:
    return _samples(runs, lambda run: run.right)


def _samples(
    runs: Iterable[RunNumbers], value: Callable[[RunNumbers], float | None]
) -> dict[str, list[float]]:
    """One number of each run, by question, without runs that lack the number."""
    samples: dict[str, list[float]] = {}
    for run in runs:
        number = value(run)
        if number is not None:
            samples.setdefault(run.sample, []).append(float(number))
    return samples
