"""An event loop on which waiting takes no time: its clock jumps to the next event."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_on_virtual_clock(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of ``work``, whose clock begins at 0 s.

    ``work`` may wait for timers and its own tasks, not for sockets or threads. If an event loop
    already runs in this thread, as in a notebook, the work is done in another thread.

    Raises:
        RuntimeError: ``work`` waits for something that can never happen.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_run, work).result()


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(work)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Skipping()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class _Skipping(selectors.SelectSelector):
    """A selector that moves the clock (seconds) forward instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("a simulated run waits for what will never come")
            self.now += timeout
        return ready
