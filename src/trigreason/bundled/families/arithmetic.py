"""multistep_arithmetic_two: two sums of four small numbers, joined by one more operation.

The chain reduces the left part, then the right part, one operation per step and products first, and
then joins them. Each operation settles its sign in a word and works on magnitudes by columns.
"""

import re

from trigreason.bundled.families import columns
from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "multistep_arithmetic_two"
_PART = r"\((-?\d(?: [-+*] -?\d)+)\)"
_QUESTION = re.compile(rf"\({_PART} ([-+*]) {_PART}\) =")


def solve(question: str) -> Solution:
    """Reduce both parts and join them; raises ValueError for another format."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    left, operator, right = match.groups()
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
    return Solution(_NAME, question, str(result), tuple(texts))


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
    """The product, in one working if the smaller factor has one digit, else by partial products.

    The state holds the partial products, one for each digit of the smaller factor other than 0,
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
    """The signed sum: magnitudes are added if the signs agree, else the smaller is subtracted."""
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


FAMILY = Family(_NAME, solve)
