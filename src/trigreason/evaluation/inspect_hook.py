"""Passes Inspect's events to the watch of a comparison.

A sample is reported when Inspect has logged it, unless it was copied from an earlier log. Hooks
live as long as the process, so this one is enabled only while a comparison runs; the registry that
``inspect`` itself loads does not import it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from inspect_ai.hooks import Hooks, SampleEnd, TaskStart, hooks
from inspect_ai.log import EvalSample, EvalSpec

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.kept import Identity
from trigreason.evaluation.logs import outcome_of
from trigreason.evaluation.progress import ComparisonWatch
from trigreason.evaluation.runs import Failed


class _Listener:
    """A watch, and the arm of each of Inspect's task runs."""

    def __init__(self, watch: ComparisonWatch, arms: Sequence[tuple[Identity, Arm]]) -> None:
        self.watch = watch
        self._arms = arms
        self._running: dict[str, Arm] = {}

    def start(self, run: str, spec: EvalSpec) -> None:
        for identity, arm in self._arms:
            if identity.is_of(spec):
                self._running[run] = arm

    def end(self, run: str, sample: EvalSample) -> None:
        arm = self._running.get(run)
        if arm is None:
            return
        outcome = outcome_of(sample)
        if isinstance(outcome, Failed):
            self.watch.failed(arm, outcome.reason)
        elif outcome is not None:
            self.watch.finished(arm, outcome)


_listener: ContextVar[_Listener | None] = ContextVar("_listener", default=None)


@hooks(name="trigreason_watch", description="Reports the samples of a comparison to its watch.")
class WatchHook(Hooks):
    """Passes started tasks and finished samples to the current listener."""

    def enabled(self) -> bool:
        return _listener.get() is not None

    async def on_task_start(self, data: TaskStart) -> None:
        if listener := _listener.get():
            listener.start(data.eval_id, data.spec)

    async def on_sample_end(self, data: SampleEnd) -> None:
        if listener := _listener.get():
            listener.end(data.eval_id, data.sample)


@contextmanager
def watched(watch: ComparisonWatch | None, arms: Sequence[tuple[Identity, Arm]]) -> Iterator[None]:
    """Report to ``watch`` the samples of these arms that Inspect finishes inside this block."""
    token = _listener.set(_Listener(watch, arms) if watch else None)
    try:
        yield
    finally:
        _listener.reset(token)
