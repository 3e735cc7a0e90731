"""An event loop on which waiting takes no time: its clock goes on to whatever comes next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_on_virtual_clock(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of ``work``, whose clock begins at 0 s.

    ``work`` waits for the clock and for itself alone, not for sockets or threads. Where an event
    loop runs in this thread already, as in a notebook, another thread does the work.

    Raises:
        RuntimeError: it waits for what will never come.
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
    """Instead of waiting, moves the clock (seconds) by as much."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("a simulated run waits for what will never come")
            self.now += timeout
        return ready
