"""Compares several methods on the same questions: one Inspect task per arm, all at the same time.

Inspect (``eval_set``) handles epochs, resuming and logs. A folder may hold the logs of many arms
and comparisons: if an arm's logs have all wanted runs they are only read, else the missing runs are
made. The samples of all arms queue for the same connections, first come first served, so the arms
advance together: other load on the machine slows all of them alike, and an interrupted comparison
is balanced. The seconds of a run do not include its time in the queue.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rich
from inspect_ai import eval_set
from inspect_ai.model import GenerateConfig, Model, get_model

from trigreason.configuration import PlannedPair, opened_pair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.inspect_hook import watched
from trigreason.evaluation.kept import (
    MODELS,
    KeptLog,
    KeptRuns,
    Key,
    discard_superseded,
    done_in,
    kept_logs,
    put_fullest_last,
)
from trigreason.evaluation.lanes import lanes_of
from trigreason.evaluation.plan import Plan
from trigreason.evaluation.pools import followed
from trigreason.evaluation.progress import ComparisonWatch
from trigreason.evaluation.recorded import alone_in
from trigreason.evaluation.runs import Failed, Run

__all__ = ["ArmOutcome", "Plan", "compare"]

FLUSHES = 500
"""Inspect writes a whole log each time. With more samples than this, it writes a log once for
several samples; until then they are in its buffer on disk, from which it can recover them."""

RETRIES = 2
"""How often Inspect retries a run that failed despite the pair's own retries; by default it would
wait for a server forever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOutcome:
    """The results of an arm.

    Attributes:
        arm: the method with its settings.
        log: the arm's last log; None if there is none.
        runs: the wanted runs that are finished, ordered by question and epoch; every iteration
            reads them from the logs again.
        errors: runs that failed; the next call tries them again.
        planned: how many runs were wanted.
    """

    arm: Arm
    log: Path | None
    runs: Sequence[Run]
    errors: list[Failed]
    planned: int

    @property
    def complete(self) -> bool:
        """Whether every wanted run is finished."""
        return len(self.runs) == self.planned


def compare(plan: Plan, watch: ComparisonWatch | None = None) -> list[ArmOutcome]:
    """Make the runs that the logs lack, and return the results of every arm.

    A failed run does not end the comparison: it is one of its arm's errors. The process may be
    ended at any time, even by ``kill -9``; the next call makes the runs that are missing.

    Raises:
        ValueError: the questions cannot be loaded, a log cannot be read or is of other models
            under the pair's name, or another comparison is running in the folder.
        EngineError: the pair cannot be reached or loaded at the start.
        KeyboardInterrupt: Ctrl-C; what is finished is in the logs.
    """
    wanted = plan.wanted()
    identities = [plan.identity(arm) for arm in plan.arms]
    with alone_in(plan.logs):
        kept = kept_logs(plan.logs, identities)
        if watch:
            watch.begin(
                len(wanted),
                {arm: KeptRuns(logs, wanted) for arm, logs in zip(plan.arms, kept, strict=True)},
            )
        missing = [
            arm
            for arm, logs in zip(plan.arms, kept, strict=True)
            if not done_in(logs).issuperset(wanted)
        ]
        if missing:
            for logs in kept:
                put_fullest_last(logs, wanted)
            _run(plan, missing, len(wanted), watch)
            kept = kept_logs(plan.logs, identities)
            for arm, logs in zip(plan.arms, kept, strict=True):
                # with several tasks at once, Inspect does not always raise KeyboardInterrupt
                if arm in missing and logs and logs[-1].was_interrupted:
                    raise KeyboardInterrupt
                discard_superseded(logs)
        return [_outcome(arm, logs, wanted) for arm, logs in zip(plan.arms, kept, strict=True)]


def _run(plan: Plan, arms: Sequence[Arm], samples: int, watch: ComparisonWatch | None) -> None:
    """Let Inspect make the missing runs of these arms."""
    if _is_served(plan.pair):
        asyncio.run(_reach(plan.pair))
    listening = watched(watch, [(plan.identity(arm), arm) for arm in arms])
    on_open = watch.opened if watch else lambda: None
    with _quiet(), listening, followed(on_open) as opening:
        eval_set(
            f"trigreason/{plan.task}",
            task_args=plan.settings,
            model=[_model(plan, arm) for arm in arms],
            log_dir=str(plan.logs),
            log_dir_allow_dirty=True,
            metadata={MODELS: plan.models},
            limit=plan.limit,
            epochs=plan.epochs,
            max_tasks=len(arms),
            log_buffer=max(1, samples // FLUSHES),
            # one attempt: a failed sample is one of the errors, and the next call retries it
            retry_attempts=1,
            retry_immediate=False,
            retry_cleanup=False,
            continue_on_fail=True,
            fail_on_error=True,
            display="none",
            score_display=False,
            ctl_server=False,
        )
    if opening.failure is not None:
        raise opening.failure


def _is_served(pair: PlannedPair) -> bool:
    """Whether servers run all models; a model in this process should be loaded only once."""
    return not pair.is_bundled and not any(engine.settings.file for engine in pair.engines.values())


async def _reach(pair: PlannedPair) -> None:
    """Open the pair once, so that an unreachable server gives one error and not one per run."""
    async with opened_pair(pair, os.environ):
        pass


def _model(plan: Plan, arm: Arm) -> Model:
    # Not an argument of the model, so that a comparison can resume with another number.
    # It is also how many samples of an arm Inspect starts at once; they queue for the connections.
    connections = lanes_of(plan.pair, plan.connections)
    config = GenerateConfig(max_connections=connections, max_retries=RETRIES)
    return get_model(
        f"trigreason/{plan.pair.name}", config=config, memoize=False, **plan.arguments(arm)
    )


def _outcome(arm: Arm, logs: Sequence[KeptLog], wanted: Sequence[Key]) -> ArmOutcome:
    failed: Mapping[Key, str] = logs[-1].failed if logs else {}
    done = done_in(logs)
    return ArmOutcome(
        arm=arm,
        log=logs[-1].path if logs else None,
        runs=KeptRuns(logs, wanted),
        errors=[Failed(*key, failed[key]) for key in wanted if key in failed and key not in done],
        planned=len(wanted),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Inspect from writing to Rich's global console, which is standard output."""
    console = rich.get_console()
    was_quiet, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = was_quiet
