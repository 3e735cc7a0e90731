"""From Inspect's events to somebody who watches a comparison.

A sample is told of when Inspect has logged it, and not when it was taken over from an earlier log.
Hooks live as long as the process, so this one is switched on only while a comparison runs; the
registry that ``inspect`` itself loads does not import it.
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
    """A watcher, and which arm each of Inspect's task runs is."""

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


@hooks(name="trigreason_watch", description="Tells whoever watches a comparison of its samples.")
class WatchHook(Hooks):
    """Hands samples to whoever watches the comparison that they are of."""

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
    """Tell ``watch`` of the samples that Inspect finishes meanwhile, of these arms."""
    token = _listener.set(_Listener(watch, arms) if watch else None)
    try:
        yield
    finally:
        _listener.reset(token)
