"""multistep_arithmetic_two: two sums of four small numbers, joined by one more operation.

The chain reduces the left part, then the right part, one operation a step and products first, and
then joins them. Each operation settles its sign in a word and works on magnitudes by columns.
"""

import random
import re

from trigreason.bundled.families import columns
from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, read_state

_NAME = "multistep_arithmetic_two"
_TERMS = 4
_OPERATORS = "+-*"
_LONGEST_CHAIN = 1300
"""Characters; a generated problem with more working than that is drawn again."""

_PART = r"\((-?\d(?: [-+*] -?\d)+)\)"
_QUESTION = re.compile(rf"\({_PART} ([-+*]) {_PART}\) =")


def generate(rng: random.Random) -> str:
    """Eight numbers from -9 to 9, seven operators."""
    while True:
        question = f"({_part(rng)} {rng.choice(_OPERATORS)} {_part(rng)}) ="
        if sum(len(step.text) for step in solve(question).steps) <= _LONGEST_CHAIN:
            return question


def solve(question: str) -> Solution:
    """Reduce both parts and join them; raises ValueError for another format."""
    found = _QUESTION.fullmatch(question)
    if found is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    left, operator, right = found.groups()
    texts = [f"Plan: left {left}, right {right}, join {operator}."]
    values = []
    for side, part in (("left", left), ("right", right)):
        tokens = part.split()
        texts.append(str(StateStep(f"Go {side}.", len(texts) - 1, part)))
        values.append(_reduce(tokens, texts))
    join = [str(values[0]), operator, str(values[1])]
    texts.append(str(StateStep("Go join.", len(texts) - 1, " ".join(join))))
    result = _reduce(join, texts)
    texts.append(f"Result: {result}.")
    return chain(_NAME, question, str(result), texts)


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


def _part(rng: random.Random) -> str:
    numbers = [str(rng.randint(-9, 9)) for _ in range(_TERMS)]
    rest = (f" {rng.choice(_OPERATORS)} {number}" for number in numbers[1:])
    return f"({numbers[0]}{''.join(rest)})"


def _reduce(tokens: list[str], texts: list[str]) -> int:
    """Reduce ``tokens`` to one number, products first, and append a step for each operation."""
    while len(tokens) > 1:
        at = tokens.index("*") if "*" in tokens else 1
        a, operator, b = int(tokens[at - 1]), tokens[at], int(tokens[at + 1])
        if operator == "*":
            result = _multiply(a, b, tokens, texts)
        else:
            working, result = _add(a, b if operator == "+" else -b)
            operation = f"Take {a} {operator} {b}: {working}, is {result}."
            texts.append(_step(operation, tokens, at, result, texts))
        tokens[at - 1 : at + 2] = [str(result)]
    return int(tokens[0])


def _multiply(a: int, b: int, tokens: list[str], texts: list[str]) -> int:
    """The product: one working where a factor has one digit that counts, else partial products.

    The partial products, one for each digit of the smaller factor other than 0, stand in the state
    until they are added up.
    """
    at = tokens.index("*")
    factor, digits = max(abs(a), abs(b)), str(min(abs(a), abs(b)))
    if len(digits) == 1:
        working, total = columns.multiply(factor, int(digits))
    else:
        parts = [(place, int(d)) for place, d in enumerate(reversed(digits)) if d != "0"]
        working, total = _partial_products(factor, parts, tokens, texts)
    sign = "minus" if (a < 0) != (b < 0) else "plus"
    result = -total if sign == "minus" else total
    operation = f"Take {a} * {b}: {sign}, {working}, is {result}."
    texts.append(_step(operation, tokens, at, result, texts))
    return result


def _partial_products(
    factor: int, parts: list[tuple[int, int]], tokens: list[str], texts: list[str]
) -> columns.Working:
    """Steps for all but the last addition, which is returned as the working of the product."""
    shown = " ".join(tokens)
    total, last = 0, ""
    for place, digit in parts:
        working, part = columns.multiply(factor, digit)
        part *= 10**place
        before = f"{shown}, sum {total}" if total else shown
        operation = f"Part {place + 1}: {working}, is {part}."
        texts.append(str(StateStep(operation, len(texts) - 1, f"{before}, part {part}")))
        if not total:
            total, last = part, f"sum {part}"
            continue
        last, total = columns.add(total, part)
        if place < parts[-1][0]:
            texts.append(str(StateStep(f"Sum: {last}.", len(texts) - 1, f"{shown}, sum {total}")))
    return last, total


def _add(a: int, b: int) -> columns.Working:
    """The signed sum: magnitudes added where the signs agree, else the smaller one taken off."""
    if a * b >= 0:
        working, magnitude = columns.add(abs(a), abs(b))
    else:
        working, magnitude = columns.subtract(*sorted((abs(a), abs(b)), reverse=True))
    if a + b < 0:
        return f"minus, {working}", -magnitude
    return f"plus, {working}", magnitude


def _step(operation: str, tokens: list[str], at: int, result: int, texts: list[str]) -> str:
    reduced = [*tokens[: at - 1], str(result), *tokens[at + 2 :]]
    return str(StateStep(operation, len(texts) - 1, " ".join(reduced)))


FAMILY = Family(_NAME, generate, solve, corrupt)
