"""Logs read into comparisons: arms on the same questions, with the same pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.kept import was_interrupted
from trigreason.evaluation.logs import Facts, failed_samples, log_arm, log_facts, read_log
from trigreason.evaluation.report.naming import arm_names
from trigreason.evaluation.runs import Run
from trigreason.evaluation.summary import ArmSummary, RunNumbers, measured, summarise
from trigreason.reasoning import Author

OF_SAMPLES = frozenset({"limit", "groups", "seed"})
"""Arguments of a task that choose some of its questions, or the answers' seeds, and change none."""

QUESTION_KEPT = 1_000
"""Characters of a question."""

Key = tuple[Any, str, int]
"""A run of an arm: the seed of the task, the question's id, and the epoch."""


@dataclass(slots=True)
class Log:
    """A log that was read, and how many of its samples failed; interrupted ones did not."""

    file: Path
    facts: Facts
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class ArmRuns:
    """The runs of one arm. A run that several logs hold (a resumed one) counts once.

    ``broken`` are those that failed in one log or another.
    """

    arm: Arm
    logs: list[Log] = field(default_factory=list)
    found: dict[Key, RunNumbers] = field(default_factory=dict)
    broken: set[Key] = field(default_factory=set)

    @property
    def runs(self) -> list[RunNumbers]:
        return list(self.found.values())

    @property
    def failed(self) -> int:
        """How many runs failed and are in no other log."""
        return len(self.broken - self.found.keys())


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Arms on the same questions with the same models.

    Attributes:
        task: the task's name.
        pair: the pair's name.
        settings: the task's arguments that tell its questions from others' (a file, an order).
        models: the pair's models, by author.
        logprob_scale: what the certainty of a token was measured on.
        questions: the beginning of each question, by its id.
        targets: the wanted answers, by the question's id.
        arms: by :class:`Arm`; see :attr:`names` for their order.
    """

    task: str
    pair: str
    settings: Mapping[str, Any]
    models: dict[Author, str]
    logprob_scale: str
    questions: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    arms: dict[Arm, ArmRuns] = field(default_factory=dict)

    @property
    def names(self) -> dict[Arm, str]:
        """The arms in the order in which they are shown, with their names."""
        return arm_names(list(self.arms))

    def summaries(self) -> dict[Arm, ArmSummary]:
        """What each arm comes to, in the order in which they are shown."""
        return {arm: summarise(self.arms[arm].runs) for arm in self.names}


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was read; ``left_out`` says in a line each which logs are not in it."""

    comparisons: Sequence[Comparison]
    left_out: Sequence[str]


def collect(files: Iterable[Path]) -> Collected:
    """Read logs; those without a run of a pair are left out.

    Raises:
        ValueError: a file is no log, or no log has a run of a pair.
    """
    comparisons: list[Comparison] = []
    left_out: list[str] = []
    for file in files:
        log = Log(file, log_facts(file))
        try:
            arm = log_arm(file)
        except ValueError:
            left_out.append(f"{file.name}: no finished run of a pair ({log.facts.model})")
            continue
        if not _add(comparisons, log, arm):
            left_out.append(f"{file.name}: no finished run")
    if not comparisons:
        told = f": {left_out[0]}" if left_out else ""
        raise ValueError(f"the logs hold no finished run of a pair{told}")
    return Collected(comparisons, left_out)


def _add(comparisons: list[Comparison], log: Log, arm: Arm) -> bool:
    """Put a log's runs where they belong; False where it has none."""
    comparison: Comparison | None = None
    seed = log.facts.settings.get("seed")
    for run in read_log(log.file):
        if comparison is None:
            comparison = _comparison_of(comparisons, log.facts, run)
            own = comparison.arms.setdefault(arm, ArmRuns(arm=arm))
            broken = [each for each in failed_samples(log.file) if not was_interrupted(each.reason)]
            log.failed = len(broken)
            own.broken.update((seed, each.sample, each.epoch) for each in broken)
            own.logs.append(log)
        own.found[seed, run.sample, run.epoch] = measured(run)
        comparison.models.update(run.trace.models)
        comparison.questions.setdefault(run.sample, run.question[:QUESTION_KEPT])
        if run.target is not None:
            comparison.targets.setdefault(run.sample, run.target)
    return comparison is not None


def _comparison_of(comparisons: list[Comparison], facts: Facts, run: Run) -> Comparison:
    """The one with the same task, questions and models, or a new one."""
    settings = {
        name: value
        for name, value in facts.settings.items()
        if name not in OF_SAMPLES and value is not None
    }
    pair, models = facts.pair or run.pair, run.trace.models
    for each in comparisons:
        same = (each.task, each.pair, each.settings) == (facts.task, pair, settings)
        if same and all(
            each.models.get(author, model) == model for author, model in models.items()
        ):
            return each
    comparisons.append(
        Comparison(
            task=facts.task,
            pair=pair,
            settings=settings,
            models=dict(models),
            logprob_scale=run.trace.logprob_scale,
        )
    )
    return comparisons[-1]
