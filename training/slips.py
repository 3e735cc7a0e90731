"""Hesitation in the training chains: slips that are noticed and mended, and idle doubts.

A slip is a wrong step that stands in the context but is not learned; what is learned are the two
hesitating steps after it. The words are those by which the paper's hesitation trigger knows
reflection.
"""

import random
from dataclasses import dataclass

from training.families import FAMILIES, Family
from trigreason.bundled.families.chains import Solution, read_state

_SLIP_SHARE = 0.35
_SECOND_SLIP_SHARE = 0.2
"""Of the chains with a slip, how many have two."""
_DOUBT_SHARE = 0.05
AGAIN = "Actually, "
"""What stands before a step put right."""
_OPENINGS = ("Wait, check", "Hmm, check", "Wait, let me reconsider", "Maybe wrong, check")


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step of a chain to train on."""

    text: str
    learned: bool = True
    """False for a deliberate slip, which stands in the context but carries no loss."""
    correct: bool = True
    """Whether the step is right: the label that a judge should give."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What is written to solve a problem: the solution's steps, perhaps with hesitation."""

    solution: Solution
    steps: tuple[ChainStep, ...]


def without_slips(solution: Solution) -> Chain:
    """The solution's own steps, all right and learned."""
    return Chain(solution, tuple(map(ChainStep, solution.steps)))


def with_slips(solution: Solution, rng: random.Random) -> Chain:
    """The solution's own steps, in some cases with slips mended or a right step doubted."""
    if rng.random() < _SLIP_SHARE:
        places = 2 if rng.random() < _SECOND_SLIP_SHARE else 1
        return _replaced(solution, rng, places)
    if rng.random() < _DOUBT_SHARE / (1 - _SLIP_SHARE):
        return _doubted(solution, rng)
    return without_slips(solution)


def _replaced(solution: Solution, rng: random.Random, places: int) -> Chain:
    family = FAMILIES[solution.family]
    chosen = set(rng.sample(range(len(solution.steps)), min(places, len(solution.steps))))
    steps: list[ChainStep] = []
    for index, step in enumerate(solution.steps):
        if index in chosen:
            steps += _slip(family, solution, index, rng)
        else:
            steps.append(ChainStep(step))
    return Chain(solution, tuple(steps))


def _slip(family: Family, solution: Solution, index: int, rng: random.Random) -> list[ChainStep]:
    """The step gone wrong, the check of what it started from, and the step put right."""
    right = solution.steps[index]
    wrong = family.corrupt(right, rng)
    if wrong is None or wrong == right:
        return [ChainStep(right)]
    check = f"{rng.choice(_OPENINGS)} {_name(solution, index)}."
    before = read_state(solution.steps[index - 1]) if index else None
    if before is not None:
        # The wrong state stands nearest: the last right one has to come nearer still.
        check += f" State {before.number}: {before.state}."
    return [
        ChainStep(wrong, learned=False, correct=False),
        ChainStep(check),
        ChainStep(AGAIN + right),
    ]


def _doubted(solution: Solution, rng: random.Random) -> Chain:
    plain = without_slips(solution)
    index = rng.randrange(1, len(solution.steps))
    step = read_state(solution.steps[index - 1])
    if step is None or not step.operation:
        return plain
    doubt = ChainStep(f"Hmm, let me check {step.number}: {step.operation} That holds.")
    return Chain(solution, (*plain.steps[:index], doubt, *plain.steps[index:]))


def _name(solution: Solution, index: int) -> str:
    step = read_state(solution.steps[index])
    if step is not None and step.number:
        return str(step.number)
    return "the plan" if index == 0 else "the end"
