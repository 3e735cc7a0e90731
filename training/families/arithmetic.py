"""multistep_arithmetic_two: random parts, and signs and digits mistaken."""

import random
import re

from trigreason.bundled.families.arithmetic import solve
from trigreason.bundled.families.chains import StateStep, read_state

_TERMS = 4
_OPERATORS = "+-*"
_LONGEST_CHAIN = 1300
"""Characters; a generated problem with more working than that is drawn again."""


def generate(rng: random.Random) -> str:
    """Eight numbers from -9 to 9, seven operators."""
    while True:
        question = f"({_part(rng)} {rng.choice(_OPERATORS)} {_part(rng)}) ="
        if sum(len(step) for step in solve(question).steps) <= _LONGEST_CHAIN:
            return question


def _part(rng: random.Random) -> str:
    numbers = [str(rng.randint(-9, 9)) for _ in range(_TERMS)]
    rest = (f" {rng.choice(_OPERATORS)} {number}" for number in numbers[1:])
    return f"({numbers[0]}{''.join(rest)})"


def corrupt(text: str, rng: random.Random) -> str | None:
    """A result with the wrong sign, or off by one in one of its places."""
    step = read_state(text)
    if step is None:
        return _corrupt_plan(text, rng)
    found = re.fullmatch(r"(Take .+ is) (-?\d+)\.", step.operation)
    if found is None:
        return None
    right = int(found[2])
    wrong = right + rng.choice((-1, 1)) * 10 ** rng.randrange(len(str(abs(right))))
    if right and rng.random() < 0.3:
        wrong = -right
    tokens = step.state.split()
    if found[2] in tokens:
        tokens[tokens.index(found[2])] = str(wrong)
    return str(StateStep(f"{found[1]} {wrong}.", step.number, " ".join(tokens)))


def _corrupt_plan(text: str, rng: random.Random) -> str | None:
    """A sign lost or gained in copying."""
    numbers = list(re.finditer(r"-?\d", text))
    if not text.startswith("Plan: "):
        return None
    wrong = rng.choice([number for number in numbers if number[0] != "0"] or numbers)
    return f"{text[: wrong.start()]}{-int(wrong[0])}{text[wrong.end() :]}"
