"""Runs gathered into comparisons: arms on the same questions, with the same pair."""

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
from trigreason.evaluation.report.naming import arm_names
from trigreason.evaluation.runs import Failed, Run
from trigreason.evaluation.summary import ArmSummary, RunNumbers, measured, summarise
from trigreason.reasoning import Author

QUESTION_KEPT = 1_000
"""Characters of a question."""


@dataclass(slots=True)
class Log:
    """A log that was read, and how many of its samples failed; interrupted ones did not."""

    file: Path
    facts: Facts
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class ArmRuns:
    """The runs of one arm.

    ``broken`` are those that failed in one log or another. ``wanted`` is how many there were to
    be; 0 where nobody said.
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
        """The runs that failed and are in no other log."""
        return [failed for key, failed in self.broken.items() if key not in self.found]

    @property
    def planned(self) -> int:
        """How many runs were wanted, as far as it is known."""
        return max(self.wanted, len(self.found) + len(self.failed))


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Arms on the same questions with the same models.

    Attributes:
        task: the task's name.
        pair: the pair's name.
        settings: what else was asked for: arguments of the task (a file, an order).
        models: the pair's models, by author.
        logprob_scale: what the certainty of a token was measured on; empty without a run.
        questions: the beginning of each question, by its id.
        targets: the wanted answers, by the question's id.
        arms: by :class:`Arm`; see :attr:`names` for their order.
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
        """What each arm that has a run comes to, in the order in which they are shown."""
        return {arm: summarise(own) for arm in self.names if (own := self.arms[arm].runs)}


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was read; ``left_out`` says in a line each which logs are not in it."""

    comparisons: Sequence[Comparison]
    left_out: Sequence[str]


def gathered(plan: Plan, outcomes: Iterable[ArmOutcome]) -> Comparison:
    """What there is of a plan."""
    settings = {**plan.settings, "limit": plan.limit, "epochs": plan.epochs}
    comparison = Comparison(task=plan.task, pair=plan.pair.name, settings=settings)
    for outcome in outcomes:
        own = comparison.arms[outcome.arm] = ArmRuns(arm=outcome.arm, wanted=outcome.planned)
        if outcome.log is not None:
            own.logs.append(Log(outcome.log, log_facts(outcome.log), len(outcome.errors)))
        own.broken = {RunKey((), each.sample, each.epoch): each for each in outcome.errors}
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
        found = recorded_log(file)
        if found is None:
            whose = "" if log.facts.pair else f" of a pair ({log.facts.model})"
            left_out.append(f"{file.name}: no finished run{whose}")
            continue
        recorded[file] = found
        comparison = _comparison_of(comparisons, found)
        comparison.arms.setdefault(found.arm, ArmRuns(arm=found.arm)).logs.append(log)
        places[file] = comparison, log
    if not comparisons:
        told = f": {left_out[0]}" if left_out else ""
        raise ValueError(f"the logs hold no finished run of a pair{told}")
    for each in each_once(recorded.values()):
        comparison, log = places[each.log.file]
        if isinstance(each.outcome, Run):
            comparison.add(each.log.arm, each.key, each.outcome)
        else:
            comparison.arms[each.log.arm].broken[each.key] = each.outcome
            log.failed += 1
    return Collected(comparisons, left_out)


def _comparison_of(comparisons: list[Comparison], log: RecordedLog) -> Comparison:
    """The one with the same task, questions and models, or a new one."""
    settings = {name: value for name, value in log.settings.items() if name != "seed"}
    asked = log.facts.task, log.pair, settings
    for each in comparisons:
        if (each.task, each.pair, each.settings) == asked and all(
            each.models.get(author, model) == model for author, model in log.models.items()
        ):
            each.models.update(log.models)
            return each
    task, pair, settings = asked
    comparisons.append(Comparison(task=task, pair=pair, settings=settings, models=dict(log.models)))
    return comparisons[-1]
