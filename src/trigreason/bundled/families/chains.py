"""Defines a worked problem: a question, an ideal chain of steps, and its target.

Every chain has the same skeleton, so that one copying circuit serves all families: a plan, then
one operation per step, each ending in ``State n: <all that the next step needs>.``, then the
verdict. The operation is restated before its result, and a key comes before its value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_STATE = re.compile(r"(?:(?P<operation>.*) )?State (?P<number>\d+): (?P<state>.*)\.")


@dataclass(frozen=True, slots=True)
class Solution:
    """A question with its only right chain; no step has a blank line or a trailing line break.

    ``target`` has the published form, such as ``(B)`` or ``Yes``.
    """

    family: str
    question: str
    target: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of problem that a program solves.

    ``solve`` reads any question of the published format and raises ValueError on any other.
    """

    name: str
    solve: Callable[[str], Solution]


@dataclass(frozen=True, slots=True)
class StateStep:
    """A step's text, read as ``<operation> State <number>: <state>.``"""

    operation: str
    number: int
    state: str

    def __str__(self) -> str:
        lead = f"{self.operation} " if self.operation else ""
        return f"{lead}State {self.number}: {self.state}."


def read_state(text: str) -> StateStep | None:
    """The state that a step ends in; None for a plan or a verdict, which state none."""
    match = _STATE.fullmatch(text)
    if match is None:
        return None
    return StateStep(match["operation"] or "", int(match["number"]), match["state"])
