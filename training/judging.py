"""Examples for the judge: part of a chain, and whether its last step is right."""

import random
from dataclasses import dataclass

from training.families import FAMILIES
from training.slips import AGAIN, Chain

RIGHT, WRONG = 9, 0


@dataclass(frozen=True, slots=True)
class JudgeExample:
    """Steps so far, the last of which deserves ``digit``: 9 for a right one, 0 for a wrong one."""

    question: str
    steps_so_far: tuple[str, ...]
    digit: int


def judge_example(chain: Chain, rng: random.Random) -> JudgeExample:
    """Cut the chain at a random step and, half of the time, make that step wrong.

    Only steps that can go wrong are judged, so that the kind of a step tells nothing of its digit.
    """
    corrupt = FAMILIES[chain.solution.family].corrupt
    places = list(range(len(chain.steps)))
    rng.shuffle(places)
    for index in places:
        step = chain.steps[index]
        text = step.text.removeprefix(AGAIN)
        wrong = corrupt(text, rng) if step.correct else None
        if wrong is None or wrong == text:
            continue
        if text != step.text:
            wrong = AGAIN + wrong
        before = tuple(step.text for step in chain.steps[:index])
        if rng.random() < 0.5:
            return JudgeExample(chain.solution.question, (*before, step.text), RIGHT)
        return JudgeExample(chain.solution.question, (*before, wrong), WRONG)
    raise ValueError(f"no step of this {chain.solution.family} chain can go wrong")
