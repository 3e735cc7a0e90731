"""Several methods on the same questions: one Inspect task run per arm, all of them at once.

Epochs, resuming, and the logs are Inspect's (``eval_set``). A folder may hold the logs of many
arms and comparisons: an arm that has all that is asked for there is only read, and one that has
some of it gets the rest. Samples of all arms wait for the same connections, first come first
served, so that the arms advance side by side: what else the machine does slows all of them alike,
and an interrupted comparison is a balanced one. The seconds of a run count from the moment at which
it is its turn.
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
from trigreason.evaluation.watching import watched

__all__ = ["ArmOutcome", "Plan", "compare"]

FLUSHES = 500
"""Each time that a log is written it is written whole. Longer ones than this are written once for
several samples; until then they are in the buffer that Inspect keeps beside, and recovers."""

RETRIES = 2
"""So often Inspect tries a run again that failed in spite of the pair's own retries; by itself it
would wait for a server without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOutcome:
    """What there is of an arm.

    Attributes:
        arm: the method with its settings.
        log: the arm's last log; None where there is none.
        runs: the wanted runs that are finished, in the order of questions and epochs; read from
            the logs each time that they are gone through.
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
        """Whether every wanted run is there."""
        return len(self.runs) == self.planned


def compare(plan: Plan, watch: ComparisonWatch | None = None) -> list[ArmOutcome]:
    """Make the runs that the logs lack, and give all of them, arm by arm.

    A run that fails does not end the comparison: it is among its arm's errors. May be ended at any
    time, also by ``kill -9``; the next call goes on with what is missing.

    Raises:
        ValueError: the questions cannot be had, a log cannot be read or is of other models under
            the pair's name, or another comparison is at work in the folder.
        EngineError: the pair cannot be reached or loaded to begin with.
        KeyboardInterrupt: Ctrl-C; what is finished is in the logs.
    """
    wanted = plan.wanted()
    identities = [plan.identity(arm) for arm in plan.arms]
    with alone_in(plan.logs, "comparison"):
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
                # with several tasks at once, Inspect does not always raise it
                if arm in missing and logs and logs[-1].was_interrupted:
                    raise KeyboardInterrupt
                discard_superseded(logs)
        return [_outcome(arm, logs, wanted) for arm, logs in zip(plan.arms, kept, strict=True)]


def _run(plan: Plan, arms: Sequence[Arm], samples: int, watch: ComparisonWatch | None) -> None:
    """Let Inspect do what is missing of these arms."""
    if _is_served(plan.pair):
        asyncio.run(_reach(plan.pair))
    listened = watched(watch, [(plan.identity(arm), arm) for arm in arms])
    told = watch.opened if watch else lambda: None
    with _quiet(), listened, followed(told) as opening:
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
            # one attempt, and a sample that fails is one of the errors: the next call retries it
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
    """Whether no model of the pair is loaded into this process, which is to happen but once."""
    return not pair.is_bundled and not any(each.settings.file for each in pair.engines.values())


async def _reach(pair: PlannedPair) -> None:
    """Open the pair once, so that a server that is not there is one error and not one per run."""
    async with opened_pair(pair, os.environ):
        pass


def _model(plan: Plan, arm: Arm) -> Model:
    # Not among the arguments, so that a comparison can go on with another number of connections.
    # Also how many samples of an arm there are at once, of which the others wait for their turn.
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
    """Keep Inspect off Rich's own console, which is standard output."""
    console = rich.get_console()
    was_quiet, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = was_quiet
