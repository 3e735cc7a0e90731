"""Answers to questions under each setting: from the ledger if it has them, else by the pair."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import fmean
from typing import Literal

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.evaluation.arms import Arm, seed_for
from trigreason.evaluation.grading import grade
from trigreason.evaluation.lanes import Lanes
from trigreason.evaluation.questions import Question
from trigreason.evaluation.recorded import RunKey
from trigreason.reasoning import Message, Trace
from trigreason.studies.calibration.front import FrontPoint
from trigreason.studies.calibration.ledger import Ledger, RunOutcome, digest
from trigreason.studies.calibration.setting import Setting

Thrift = Literal["smt", "usd"]
"""What is saved: a larger SMT, or fewer USD per run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all settings have in common; answers under other conditions are other answers.

    ``pair`` is the pair's name and models in words. ``sampling.seed`` is ignored.
    """

    pair: str
    sampling: Sampling
    budget: Budget
    epochs: int = 1
    seed: int = 0

    def key(self, setting: Setting, question: Question, epoch: int) -> RunKey:
        return RunKey((setting.key, _conditions(self, question)), question.id, epoch)

    def arm(self, setting: Setting) -> Arm:
        return Arm(
            method=setting.method,
            thresholds=setting.thresholds,
            sampling=self.sampling,
            budget=self.budget,
        )


@lru_cache(maxsize=4096)
def _conditions(conditions: Conditions, question: Question) -> str:
    sampling = asdict(conditions.sampling) | {"seed": conditions.seed}
    texts = [question.prompt, question.target]
    return digest(conditions.pair, sampling, asdict(conditions.budget), texts)


@dataclass(frozen=True, slots=True)
class Results:
    """A setting's outcomes by question, in the questions' order: one per epoch."""

    setting: Setting
    outcomes: Mapping[str, tuple[RunOutcome, ...]]

    def rights(self) -> dict[str, list[float]]:
        return {name: [float(each.right) for each in outcomes] for name, outcomes in self._items()}

    def smts(self) -> dict[str, list[float]]:
        """A run without any thinking has no SMT; a question without any such run is left out."""
        return self._known(lambda each: each.smt)

    def usds(self) -> dict[str, list[float]]:
        return self._known(lambda each: each.usd)

    def thrifts(self, thrift: Thrift) -> dict[str, list[float]]:
        """What is saved, larger is better: the SMT, or minus the USD.

        Raises:
            ValueError: a run's cost is not known, or no run has an SMT.
        """
        values = self.smts() if thrift == "smt" else self.usds()
        if not values or (thrift == "usd" and not self._all_usd_known):
            raise ValueError(
                "no run has any thinking, so there is no SMT; raise --budget"
                if thrift == "smt"
                else "what every run costs is not known: give prices to both engines of the pair "
                "in trigreason.toml (their servers must count tokens), or calibrate --against smt"
            )
        if thrift == "smt":
            return values
        return {name: [-cost for cost in costs] for name, costs in values.items()}

    def point(self, thrift: Thrift) -> FrontPoint:
        """Means over questions of the means over epochs."""
        return FrontPoint(_mean_of_means(self.rights()), _mean_of_means(self.thrifts(thrift)))

    def per_run(self, number: Callable[[RunOutcome], float]) -> float:
        return _mean_of_means(
            {name: [number(each) for each in outcomes] for name, outcomes in self._items()}
        )

    @property
    def _all_usd_known(self) -> bool:
        return all(each.usd is not None for outcomes in self.outcomes.values() for each in outcomes)

    def _known(self, number: Callable[[RunOutcome], float | None]) -> dict[str, list[float]]:
        known = {
            name: [value for each in outcomes if (value := number(each)) is not None]
            for name, outcomes in self._items()
        }
        return {name: values for name, values in known.items() if values}

    def _items(self) -> Iterable[tuple[str, tuple[RunOutcome, ...]]]:
        return self.outcomes.items()


def _mean_of_means(samples: Mapping[str, Sequence[float]]) -> float:
    return fmean(fmean(each) for each in samples.values())


class Experiment:
    """A pair, its conditions and the ledger of its runs.

    ``watch`` is called with each outcome, and whether it was in the ledger before.
    """

    def __init__(
        self,
        lanes: Lanes,
        ledger: Ledger,
        conditions: Conditions,
        watch: Callable[[Setting, RunOutcome, bool], None],
    ) -> None:
        self.conditions = conditions
        self._lanes = lanes
        self._ledger = ledger
        self._watch = watch

    async def results(
        self, settings: Sequence[Setting], questions: Sequence[Question]
    ) -> list[Results]:
        """Every setting on all the questions, with as many runs at a time as the pair has lanes.

        Raises:
            EngineError: a model cannot be reached, or failed. Finished runs are in the ledger.
        """
        jobs = list(self._jobs(settings, questions))
        try:
            async with asyncio.TaskGroup() as group:
                for setting, question, epoch in jobs:
                    group.create_task(self._ask(setting, question, epoch))
        except ExceptionGroup as failures:
            raise _first(failures) from None
        return [self._gathered(setting, questions) for setting in settings]

    def traces(self, setting: Setting, questions: Sequence[Question]) -> list[Trace]:
        """The runs of a setting that has results already, in the order of the ledger."""
        keys = {self.conditions.key(*job) for job in self._jobs([setting], questions)}
        return [trace for _, trace in self._ledger.traces(keys)]

    def _jobs(
        self, settings: Iterable[Setting], questions: Sequence[Question]
    ) -> Iterator[tuple[Setting, Question, int]]:
        for setting in dict.fromkeys(settings):
            for question in questions:
                for epoch in range(1, self.conditions.epochs + 1):
                    yield setting, question, epoch

    async def _ask(self, setting: Setting, question: Question, epoch: int) -> None:
        key = self.conditions.key(setting, question, epoch)
        known = self._ledger.get(key)
        if known is not None:
            self._watch(setting, known, True)
            return
        trace = await self._lanes.answer(
            (Message("user", question.prompt),),
            self.conditions.arm(setting),
            seed_for(self.conditions.seed, question.id, epoch),
        )
        # In a thread, because comparing two expressions may take seconds.
        graded = await asyncio.to_thread(
            grade, question.kind, trace.reply, question.target, question.letters, trace.thinking
        )
        details = {
            "group": question.group,
            "target": question.target,
            "given": graded.given,
            "right": graded.right,
        }
        self._watch(setting, self._ledger.add(key, setting, trace, details), False)

    def _gathered(self, setting: Setting, questions: Sequence[Question]) -> Results:
        outcomes: dict[str, list[RunOutcome]] = {}
        for _, question, epoch in self._jobs([setting], questions):
            outcome = self._ledger.get(self.conditions.key(setting, question, epoch))
            assert outcome is not None, "every job was done"
            outcomes.setdefault(question.id, []).append(outcome)
        return Results(setting, {name: tuple(each) for name, each in outcomes.items()})


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    """The failure that came first; it mostly caused those after it."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
