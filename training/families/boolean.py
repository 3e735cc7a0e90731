"""boolean_expressions: random expressions, and values inverted or miscopied."""

import random
import re

from trigreason.bundled.families.boolean import LITERALS, inverted
from trigreason.bundled.families.chains import StateStep, read_state

_LENGTH = 8
_OTHER_LENGTHS = (4, 5, 6, 7, 9, 10)
_OTHER_LENGTH_SHARE = 0.15
"""The published expressions, all of 8 tokens, are nearly a closed set: some shorter and longer."""
_OPERATION = re.compile(r"(?:[A-Z] )*[A-Z]: .* is (?:True|False)\.")


def generate(rng: random.Random) -> str:
    """A random expression, nearly always of the published length."""
    length = _LENGTH
    if rng.random() < _OTHER_LENGTH_SHARE:
        length = rng.choice(_OTHER_LENGTHS)
    return " ".join([*_expression(rng, length), "is"])


def _expression(rng: random.Random, length: int) -> list[str]:
    """An expression of exactly ``length`` tokens."""
    if length == 1:
        return [rng.choice(LITERALS)]
    kinds = ["not"] * 2 + ["binary"] * 5 * (length > 2) + ["parentheses"] * (length > 2)
    match rng.choice(kinds):
        case "not":
            return ["not", *_operand(rng, length - 1)]
        case "parentheses":
            return ["(", *_expression(rng, length - 2), ")"]
    left = rng.randint(1, length - 2)
    word = rng.choice(("and", "or"))
    return [*_expression(rng, left), word, *_expression(rng, length - 1 - left)]


def _operand(rng: random.Random, length: int) -> list[str]:
    """What ``not`` may stand before: more often parentheses than an expression at large has."""
    if length > 2 and rng.random() < 0.4:
        return ["(", *_expression(rng, length - 2), ")"]
    return _expression(rng, length)


def corrupt(text: str, rng: random.Random) -> str | None:
    """The operation's value inverted, or a literal of the restated expression miscopied."""
    step = read_state(text)
    if step is None or (step.operation and not _OPERATION.fullmatch(step.operation)):
        return None
    operation = step.operation
    keyed = step.state.split()
    literals = [i for i, token in enumerate(keyed) if token in LITERALS]
    if operation and rng.random() < 0.6:
        key = keyed.index(operation[0])
        keyed[key + 1] = inverted(keyed[key + 1])
        operation = re.sub(r"\w+\.$", f"{keyed[key + 1]}.", operation)
    else:
        at = rng.choice(literals)
        keyed[at] = inverted(keyed[at])
    return str(StateStep(operation, step.number, " ".join(keyed)))
