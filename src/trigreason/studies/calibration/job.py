"""A whole calibration with labels, from a planned pair to its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trigreason.budget import Budget
from trigreason.configuration import PlannedPair
from trigreason.engines.base import Sampling
from trigreason.evaluation.lanes import opened_lanes
from trigreason.evaluation.questions import Question
from trigreason.failure import Away
from trigreason.studies.calibration.evidence import pair_in_words
from trigreason.studies.calibration.experiment import Conditions, Experiment, Thrift
from trigreason.studies.calibration.labelled import Calibration, calibrate
from trigreason.studies.calibration.ledger import RunOutcome, opened_ledger
from trigreason.studies.calibration.search import Enter
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.calibration.space import check_searchable
from trigreason.studies.calibration.split import Split, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to calibrate, on which questions, and with how much work.

    Attributes:
        plan: the pair; its thresholds are the default that others are compared with.
        questions: all of them; ``held_out`` is the share that decides nothing.
        trials: settings to draw.
        method: the method of these settings.
        thrift: what accuracy is weighed against.
        epochs: answers to each question under each setting.
        seed: for the split, the search and every answer.
        folder: where the runs are kept.
        connections: runs at once; None for the number that suits the pair.
    """

    plan: PlannedPair
    questions: Sequence[Question]
    sampling: Sampling
    budget: Budget
    folder: Path
    held_out: float = 0.5
    trials: int = 40
    thrift: Thrift = "smt"
    method: str = "trigreason"
    epochs: int = 1
    seed: int = 0
    connections: int | None = None

    def parts(self) -> Split[Question]:
        """Raises ValueError for too few questions, or a method with nothing to search."""
        check_searchable(self.method)
        return split(self.questions, self.held_out, self.seed)


async def carry_out(
    job: Job, enter: Enter, watch: Callable[[Setting, RunOutcome, bool], None]
) -> tuple[Calibration, Conditions]:
    """Search and measure; returns the conditions too. A run fails where a model stays away.

    Raises:
        EngineError: a model cannot be reached or loaded, or failed.
        ConfigurationError: a key is missing, or a template cannot be read.
        ValueError: there are too few questions, the folder is in use or holds something else, the
            SRM has no token probabilities, or costs are wanted and unknown.
        OSError: the folder cannot be written.
    """
    parts = job.parts()
    settings = job.plan.settings
    # A run that one model finished alone says nothing about the setting.
    failure = replace(settings.failure, lrm_away=Away.FAIL, srm_away=Away.FAIL)
    plan = replace(job.plan, settings=settings.model_copy(update={"failure": failure}))
    with opened_ledger(job.folder) as ledger:
        async with opened_lanes(plan, job.connections) as lanes:
            conditions = Conditions(
                pair=f"pair {plan.name}: {pair_in_words(lanes.pair)}",
                sampling=job.sampling,
                budget=job.budget,
                epochs=job.epochs,
                seed=job.seed,
            )
            asking = Experiment(lanes, ledger, conditions, watch)
            found = await calibrate(
                asking, parts, settings.thresholds, job.trials, job.thrift, enter, job.method
            )
    return found, conditions
