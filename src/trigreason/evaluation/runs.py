"""A recorded run, with what is known of its question and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One answer to one question.

    Attributes:
        trace: the run as it was recorded.
        task: the task's name, such as ``aime24``; empty if unknown.
        group: the part of the task that the question belongs to (a BBH task, a bundled family).
        sample: the question's id within the task.
        epoch: which of several answers to the question, from 1 on.
        target: the wanted answer; None if unknown.
        right: whether the answer is the wanted one; None if it was not scored.
        pair: the pair's name.
    """

    trace: Trace
    task: str = ""
    group: str = ""
    sample: str = ""
    epoch: int = 1
    target: str | None = None
    right: bool | None = None
    pair: str = ""

    @property
    def question(self) -> str:
        """The last turn of the conversation that was answered."""
        return self.trace.messages[-1].content


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed run, with the reason in one line."""

    sample: str
    epoch: int
    reason: str
