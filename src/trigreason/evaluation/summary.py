"""What the runs of an arm come to: the numbers behind every table of a comparison.

``summarise([measured(run) for run in runs])`` is one arm's line of a table, and
``accuracy_difference`` sets two arms' accuracies against each other. Both need no more than the
few numbers that :func:`measured` keeps of a run, so runs can come one by one out of a log.
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
    """One run in numbers. Tokens, requests, seconds, USD; None where it is not known.

    Attributes:
        sample: the question's id.
        group: the part of the task that the question belongs to.
        epoch: which of several answers to the question, from 1 on.
        right: whether the answer is the wanted one; None where nobody scored it.
        smt: share of the final thinking's tokens that the SRM wrote (0 to 1).
        standing: tokens of the final thinking, by author.
        answer: tokens of the answer, by author.
        drafts: steps that were thrown away.
        draft_tokens: their tokens.
        judging: tokens of scores.
        unreadable: scores that were no score, and counted as 0.
        generated: every token that arrived, by author; used or not.
        requests: by author.
        handovers: to the LRM, by trigger.
        truncated: whether a budget was spent before there was an answer.
        degraded: whether a model stayed away.
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
    """One arm. Every ``Estimate`` is a mean per run, clustered by question; see ``Measured``.

    ``accuracy`` rests on the runs that were scored and ``smt`` on those that thought at all, each
    None where there is none. ``thinking`` is ``standing`` of both authors. ``usd`` is None unless
    it is known of every run. ``seconds_median`` and ``seconds_p95`` are over runs.
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
        """Thinking that stands and answers, per second of a run."""
        if not self.seconds.value:
            return None
        tokens = [*self.standing.values(), *self.answer.values()]
        return sum(each.value for each in tokens) / self.seconds.value

    def to_json(self) -> dict[str, Any]:
        """Plain values; the ends of an interval that is infinite are null."""
        told = {each.name: plain(getattr(self, each.name)) for each in fields(self)}
        return told | {"tokens_per_second": self.tokens_per_second}


def summarise(runs: Sequence[RunNumbers]) -> ArmSummary:
    """The runs of one arm in numbers, the same whatever order they come in.

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
    """pass@1 over the runs that were scored; None where none was."""
    outcomes = _outcomes(runs)
    return pass_at_1(outcomes) if outcomes else None


def accuracy_difference(
    first: Iterable[RunNumbers], second: Iterable[RunNumbers]
) -> Difference | None:
    """By how much the first arm's accuracy is above the second's, on the questions of both.

    None where no question of both was scored.
    """
    one, other = _outcomes(first), _outcomes(second)
    return paired(one, other, within=SHARES) if one.keys() & other.keys() else None


def accuracy_by_group(runs: Sequence[RunNumbers]) -> dict[str, Estimate]:
    """pass@1 of each group of questions, by its name; nothing where all are of one."""
    groups: dict[str, list[RunNumbers]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    if len(groups) < 2:
        return {}
    found = {name: accuracy(own) for name, own in sorted(groups.items())}
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values are not above."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def plain(value: Any) -> Any:
    """Estimates, differences and what holds them as objects; what is infinite as null."""
    if isinstance(value, Estimate | Difference):
        told = value._asdict()
        return {name: each if math.isfinite(each) else None for name, each in told.items()}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return value


def _not_negative(estimate: Estimate) -> Estimate:
    """The interval of an amount, which ends at 0 where it would go below."""
    return estimate.clipped(0.0, math.inf) if estimate.has_interval else estimate


def _count(
    counts: Callable[[RunNumbers], Mapping[Key, int]], key: Key
) -> Callable[[RunNumbers], float]:
    """One of a run's counts, 0 where it is not among them."""
    return lambda run: counts(run).get(key, 0)


def _outcomes(runs: Iterable[RunNumbers]) -> dict[str, list[float]]:
    return _samples(runs, lambda run: run.right)


def _samples(
    runs: Iterable[RunNumbers], value: Callable[[RunNumbers], float | None]
) -> dict[str, list[float]]:
    """By question, a number of each of its runs; runs without it are left out."""
    samples: dict[str, list[float]] = {}
    for run in runs:
        number = value(run)
        if number is not None:
            samples.setdefault(run.sample, []).append(float(number))
    return samples
