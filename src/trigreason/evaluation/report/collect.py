"""Gathers runs into comparisons: arms on the same questions, with the same pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import ArmOutcome
from trigreason.evaluation.logs import Facts, log_facts
from trigreason.evaluation.plan import Plan
from trigreason.evaluation.recorded import RecordedLog, RunKey, each_once, recorded_log
from trigreason.evaluation.report.arm_names import arm_names
from trigreason.evaluation.runs import Failed, Run
from trigreason.evaluation.summary import ArmSummary, RunNumbers, measured, summarise
from trigreason.reasoning import Author

QUESTION_KEPT = 1_000
"""How many characters of a question are kept."""


@dataclass(slots=True)
class Log:
    """A log that was read; ``failed`` counts its failed samples, without interrupted ones."""

    file: Path
    facts: Facts
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class ArmRuns:
    """The runs of one arm.

    ``broken`` are the runs that failed in at least one log. ``wanted`` is how many runs were asked
    for, 0 if unknown.
    """

    arm: Arm
    logs: list[Log] = field(default_factory=list)
    found: dict[RunKey, RunNumbers] = field(default_factory=dict)
    broken: dict[RunKey, Failed] = field(default_factory=dict)
    wanted: int = 0

    @property
    def runs(self) -> list[RunNumbers]:
        return list(self.found.values())

    @property
    def failed(self) -> list[Failed]:
        """The failed runs that no log has as finished."""
        return [failed for key, failed in self.broken.items() if key not in self.found]

    @property
    def planned(self) -> int:
        """How many runs were wanted, as far as is known."""
        return max(self.wanted, len(self.found) + len(self.failed))


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Arms on the same questions with the same models.

    Attributes:
        task: the task's name.
        pair: the pair's name.
        settings: the task's other arguments (such as a file or an order).
        models: the pair's models, by author.
        logprob_scale: which probabilities token certainties come from; empty without a run.
        questions: the beginning of each question, by its id.
        targets: the wanted answers, by the question's id.
        arms: the runs of each arm; see :attr:`names` for the order.
    """

    task: str
    pair: str
    settings: Mapping[str, Any]
    models: dict[Author, str] = field(default_factory=dict)
    logprob_scale: str = ""
    questions: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    arms: dict[Arm, ArmRuns] = field(default_factory=dict)

    def add(self, arm: Arm, key: RunKey, run: Run) -> None:
        self.arms[arm].found[key] = measured(run)
        self.models.update(run.trace.models)
        self.logprob_scale = self.logprob_scale or run.trace.logprob_scale
        self.questions.setdefault(run.sample, run.question[:QUESTION_KEPT])
        if run.target is not None:
            self.targets.setdefault(run.sample, run.target)

    @property
    def names(self) -> dict[Arm, str]:
        """The arms in the order in which they are shown, with their names."""
        return arm_names(list(self.arms))

    def summaries(self) -> dict[Arm, ArmSummary]:
        """The summary of each arm that has a run, in the order in which they are shown."""
        return {arm: summarise(runs) for arm in self.names if (runs := self.arms[arm].runs)}


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was read; ``left_out`` has one line for each log that was left out."""

    comparisons: Sequence[Comparison]
    left_out: Sequence[str]


def gathered(plan: Plan, outcomes: Iterable[ArmOutcome]) -> Comparison:
    """The comparison of a plan, with the runs that it has."""
    settings = {**plan.settings, "limit": plan.limit, "epochs": plan.epochs}
    comparison = Comparison(task=plan.task, pair=plan.pair.name, settings=settings)
    for outcome in outcomes:
        arm_runs = comparison.arms[outcome.arm] = ArmRuns(arm=outcome.arm, wanted=outcome.planned)
        if outcome.log is not None:
            arm_runs.logs.append(Log(outcome.log, log_facts(outcome.log), len(outcome.errors)))
        arm_runs.broken = {RunKey((), error.sample, error.epoch): error for error in outcome.errors}
        for run in outcome.runs:
            comparison.add(outcome.arm, RunKey((), run.sample, run.epoch), run)
    return comparison


def collect(files: Iterable[Path]) -> Collected:
    """Read logs; those without a run of a pair are left out.

    Raises:
        ValueError: a file is no log, or no log has a run of a pair.
    """
    comparisons: list[Comparison] = []
    left_out: list[str] = []
    recorded: dict[Path, RecordedLog] = {}
    places: dict[Path, tuple[Comparison, Log]] = {}
    for file in files:
        log = Log(file, log_facts(file))
        log_record = recorded_log(file)
        if log_record is None:
            whose = "" if log.facts.pair else f" of a pair ({log.facts.model})"
            left_out.append(f"{file.name}: no finished run{whose}")
            continue
        recorded[file] = log_record
        comparison = _comparison_of(comparisons, log_record)
        comparison.arms.setdefault(log_record.arm, ArmRuns(arm=log_record.arm)).logs.append(log)
        places[file] = comparison, log
    if not comparisons:
        reason = f": {left_out[0]}" if left_out else ""
        raise ValueError(f"the logs hold no finished run of a pair{reason}")
    for logged in each_once(recorded.values()):
        comparison, log = places[logged.log.file]
        if isinstance(logged.outcome, Run):
            comparison.add(logged.log.arm, logged.key, logged.outcome)
        else:
            comparison.arms[logged.log.arm].broken[logged.key] = logged.outcome
            log.failed += 1
    return Collected(comparisons, left_out)


def _comparison_of(comparisons: list[Comparison], log: RecordedLog) -> Comparison:
    """The comparison with the log's task, questions and models, or a new one."""
    settings = {name: value for name, value in log.settings.items() if name != "seed"}
    wanted = log.facts.task, log.pair, settings
    for comparison in comparisons:
        if (comparison.task, comparison.pair, comparison.settings) == wanted and all(
            comparison.models.get(author, model) == model for author, model in log.models.items()
        ):
            comparison.models.update(log.models)
            return comparison
    task, pair, settings = wanted
    comparisons.append(Comparison(task=task, pair=pair, settings=settings, models=dict(log.models)))
    return comparisons[-1]
