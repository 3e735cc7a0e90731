"""Signals of an SRM's steps and trajectories, each with whether the step or trajectory is wrong.

A step is wrong where the bundled families' checker says so (see ``checking``), a trajectory where
its answer is. Only trajectories that the SRM wrote alone count: an answer of both models does not
say what the SRM's confidence was worth. Entropy and margin are known if the traces have the
likeliest tokens' logprobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from statistics import fmean
from typing import NamedTuple

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, Features, Reader, Reading, StepEnd, Thresholds, Trace
from trigreason.reasoning.replay import recorded_features
from trigreason.reasoning.risk import Signals
from trigreason.reasoning.risk_signals import SignalReader
from trigreason.studies.checking import checked_steps


class Signal(NamedTuple):
    """A signal's ``key`` in JSON and ``name`` in words; both say how steps become one number."""

    key: str
    name: str


@dataclass(slots=True)
class Observed:
    """Steps or trajectories, with one entry in every list; a signal is None where it is unknown.

    ``questions`` are the texts of their questions, ``groups`` the groups of those questions.
    """

    questions: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)
    signals: dict[Signal, list[float | None]] = field(default_factory=dict)

    def add(self, run: Run, wrong: bool, seen: Sequence[tuple[Signal, float | None]]) -> None:
        self.questions.append(run.question)
        self.groups.append(run.group)
        self.wrong.append(wrong)
        for signal, number in seen:
            self.signals.setdefault(signal, []).append(number)

    def drop_unknown(self) -> None:
        """Leave out the signals that are unknown everywhere."""
        known = {
            signal: numbers
            for signal, numbers in self.signals.items()
            if any(number is not None for number in numbers)
        }
        self.signals = known


@dataclass(frozen=True, slots=True)
class SeenStep:
    """An SRM step and its signals; ``wrong`` is None for a step without a label.

    ``hesitates_next`` is None for the last step. ``is_whole``: it was not cut off.
    """

    index: int
    tokens: int
    features: Features
    signals: Signals
    hesitates_next: bool | None
    wrong: bool | None
    is_whole: bool

    def ratio(self, tau: float) -> float | None:
        """r_s of eq. 4; None where no token has a probability."""
        return self.features.ratio(tau)

    @property
    def hesitates(self) -> bool:
        return bool(self.signals["hesitates"])

    @property
    def repeats(self) -> bool:
        return bool(self.signals["repeats"])


def seen_steps(run: Run, thresholds: Thresholds | None = None) -> list[SeenStep]:
    """The run's SRM steps, drafts included, blank ones not; by default under its own thresholds."""
    steps, labels = run.trace.steps, checked_steps(run)
    readings = list(_readings(run.trace, thresholds or run.trace.thresholds))
    reader = SignalReader()
    seen: list[SeenStep] = []
    for index, (record, reading, right) in enumerate(zip(steps, readings, labels, strict=True)):
        if reading.is_blank:
            continue
        signals: Signals | None = None
        if record.author is Author.SRM:
            signals = reader.read(reading)
            is_last = index + 1 == len(steps)
            seen.append(
                SeenStep(
                    index=index,
                    tokens=record.tokens,
                    features=reading.features,
                    signals=signals,
                    hesitates_next=None if is_last else bool(readings[index + 1].hesitations),
                    wrong=None if right is None else not right,
                    is_whole=record.end is not StepEnd.CUT_OFF,
                )
            )
        if record.standing:
            reader.keep(signals)
    return seen


def _readings(trace: Trace, thresholds: Thresholds) -> Iterator[Reading]:
    """The reading of each step, with repetition even if the run's guard did not look for it."""
    reader = Reader(replace(thresholds, repeats=1))
    for record in trace.steps:
        reading = reader.read(recorded_features(record))
        yield reading
        if record.standing:
            reader.keep(reading)


Seen = Sequence[tuple[Run, Sequence[SeenStep]]]
"""Runs with their SRM steps."""


def labelled_steps(seen: Seen) -> Iterator[tuple[Run, bool, SeenStep]]:
    """Every SRM step that is known to be right or wrong: its run, whether wrong, the step."""
    for run, steps in seen:
        for step in steps:
            if step.wrong is not None:
                yield run, step.wrong, step


def scored_trajectories(seen: Seen) -> Iterator[tuple[Run, bool, Sequence[SeenStep]]]:
    """Every trajectory of known outcome that the SRM wrote alone."""
    for run, steps in seen:
        if steps and run.right is not None and is_solo(run):
            yield run, not run.right, steps


def is_solo(run: Run) -> bool:
    """Whether the SRM wrote the thinking, under the method that has it write alone.

    Runs of another method in which the LRM happened not to write do not count: the very signals
    under study selected them.
    """
    is_alone = run.trace.method == "srm"
    return is_alone and all(step.author is Author.SRM for step in run.trace.standing)


def srm_runs(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs of the SRM alone, or all runs if there is none."""
    return [run for run in runs if is_solo(run)] or runs


def observed_steps(seen: Seen, taus: Sequence[float]) -> Observed:
    """The signals of every labelled step."""
    observed = Observed()
    for run, wrong, step in labelled_steps(seen):
        observed.add(run, wrong, _step_signals(step, taus))
    observed.drop_unknown()
    return observed


def observed_trajectories(seen: Seen, taus: Sequence[float]) -> Observed:
    """The signals of every scored trajectory."""
    observed = Observed()
    for run, wrong, steps in scored_trajectories(seen):
        observed.add(run, wrong, _trajectory_signals(steps, taus))
    observed.drop_unknown()
    return observed


def _step_signals(step: SeenStep, taus: Sequence[float]) -> list[tuple[Signal, float | None]]:
    signals = step.signals
    ratios = [(_ratio_signal(tau), step.ratio(tau)) for tau in taus]
    return [
        *ratios,
        (Signal("mean_logprob", "mean logprob"), signals["mean_logprob"]),
        (Signal("min_logprob", "lowest logprob"), signals["min_logprob"]),
        (Signal("first_entropy", "entropy of the first token"), signals["first_entropy"]),
        (Signal("mean_margin", "mean margin"), signals["mean_margin"]),
        (Signal("hesitates_next", "the next step hesitates"), _number(step.hesitates_next)),
        (Signal("repeats", "repetition"), signals["repeats"]),
        (Signal("tokens", "length (tokens)"), float(step.tokens)),
        (Signal("position", "position (steps before it)"), float(step.index)),
    ]


def _ratio_signal(tau: float, key: str = "", name: str = "") -> Signal:
    return Signal(f"{key}ratio@{tau:g}", f"{name}low-perplexity ratio r, τ = {tau:g}")


def _mean(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None


def _number(seen: bool | None) -> float | None:
    return None if seen is None else float(seen)


def _trajectory_signals(
    steps: Sequence[SeenStep], taus: Sequence[float]
) -> list[tuple[Signal, float | None]]:
    logprobs = list(chain.from_iterable(step.features.logprobs for step in steps))
    ratios = {tau: _ratios(steps, tau) for tau in taus}
    first = ratios[taus[0]]
    entropies = [nats for step in steps if (nats := step.signals["first_entropy"]) is not None]
    margins = [lead for step in steps if (lead := step.signals["mean_margin"]) is not None]
    return [
        *((_ratio_signal(tau, "mean_", "mean "), _mean(values)) for tau, values in ratios.items()),
        (_ratio_signal(taus[0], "max_", "highest "), max(first, default=None)),
        (_ratio_signal(taus[0], "min_", "lowest "), min(first, default=None)),
        (Signal("mean_logprob", "mean logprob of all tokens"), _mean(logprobs)),
        (Signal("min_logprob", "lowest logprob"), min(logprobs, default=None)),
        (Signal("first_entropy", "mean entropy of first tokens"), _mean(entropies)),
        (Signal("mean_margin", "mean margin of steps"), _mean(margins)),
        (Signal("hesitates", "share of hesitating steps"), fmean(s.hesitates for s in steps)),
        (Signal("repeats", "share of repeating steps"), fmean(s.repeats for s in steps)),
        (Signal("tokens", "mean length of steps (tokens)"), fmean(s.tokens for s in steps)),
        (Signal("steps", "number of steps"), float(len(steps))),
    ]


def _ratios(steps: Sequence[SeenStep], tau: float) -> list[float]:
    return [ratio for step in steps if (ratio := step.ratio(tau)) is not None]
