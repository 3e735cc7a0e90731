"""boolean_expressions: the value of a short expression of not, and, or and parentheses.

The chain gives every token a letter for a key and reduces one operation per step. The key of the
first token that an operation takes passes to its result.
"""

import random
import re

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, read_state

_NAME = "boolean_expressions"
_LENGTH = 8
_OTHER_LENGTHS = (4, 5, 6, 7, 9, 10)
_OTHER_LENGTH_SHARE = 0.15
"""The published expressions, all of 8 tokens, are nearly a closed set: some shorter and longer."""

_LITERALS = ("True", "False")
_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUESTION = re.compile(r"((?:(?:True|False|not|and|or|\(|\)) )+)is")

_OPERATION = re.compile(r"(?:[A-Z] )*[A-Z]: .* is (?:True|False)\.")

Keyed = list[tuple[str, str]]
"""Tokens with their keys: ``[("A", "not"), ("B", "True")]``."""


def generate(rng: random.Random) -> str:
    """A random expression, nearly always of the published length."""
    length = _LENGTH
    if rng.random() < _OTHER_LENGTH_SHARE:
        length = rng.choice(_OTHER_LENGTHS)
    return " ".join([*_expression(rng, length), "is"])


def solve(question: str) -> Solution:
    """Reduce to one literal; raises ValueError for anything but an expression."""
    found = _QUESTION.fullmatch(question)
    if found is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    tokens = found[1].split()
    if len(tokens) > len(_KEYS):
        raise ValueError(f"an expression of {len(tokens)} tokens is too long")
    state: Keyed = list(zip(_KEYS, tokens, strict=False))
    texts = [str(StateStep("", 0, _show(state)))]
    while len(state) > 1:
        start, taken, value = _reduction(state)
        keys = " ".join(key for key, _ in state[start : start + taken])
        part = " ".join(token for _, token in state[start : start + taken])
        state[start : start + taken] = [(state[start][0], value)]
        texts.append(str(StateStep(f"{keys}: {part} is {value}.", len(texts), _show(state))))
    texts.append(f"Left: {state[0][1]}.")
    return chain(_NAME, question, state[0][1], texts)


def corrupt(text: str, rng: random.Random) -> str | None:
    """The operation's value inverted, or a literal of the restated expression miscopied."""
    step = read_state(text)
    if step is None or (step.operation and not _OPERATION.fullmatch(step.operation)):
        return None
    operation = step.operation
    keyed = step.state.split()
    literals = [i for i, token in enumerate(keyed) if token in _LITERALS]
    if operation and rng.random() < 0.6:
        key = keyed.index(operation[0])
        keyed[key + 1] = _inverted(keyed[key + 1])
        operation = re.sub(r"\w+\.$", f"{keyed[key + 1]}.", operation)
    else:
        at = rng.choice(literals)
        keyed[at] = _inverted(keyed[at])
    return str(StateStep(operation, step.number, " ".join(keyed)))


def _expression(rng: random.Random, length: int) -> list[str]:
    """An expression of exactly ``length`` tokens."""
    if length == 1:
        return [rng.choice(_LITERALS)]
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


def _reduction(state: Keyed) -> tuple[int, int, str]:
    """Where the next operation starts, how many tokens it takes, and its value.

    The order can be seen locally: the leftmost ``not`` of a literal, else the leftmost literal in
    parentheses, else the leftmost ``and`` of literals, else the leftmost ``or`` of literals that
    no ``and`` still claims.
    """
    tokens = [token for _, token in state]
    padded = [*tokens, "", ""]
    literal = [token in _LITERALS for token in padded]
    places = range(len(tokens))
    for i in places:
        if padded[i] == "not" and literal[i + 1]:
            return i, 2, _inverted(padded[i + 1])
    for i in places:
        if padded[i] == "(" and literal[i + 1] and padded[i + 2] == ")":
            return i, 3, padded[i + 1]
    for word in ("and", "or"):
        for i in places:
            if not (literal[i] and padded[i + 1] == word and literal[i + 2]):
                continue
            claimed = (i > 0 and padded[i - 1] == "and") or [*padded, ""][i + 3] == "and"
            if word == "or" and claimed:
                continue
            values = [padded[i] == "True", padded[i + 2] == "True"]
            return i, 3, str(all(values) if word == "and" else any(values))
    raise ValueError(f"not an expression: {' '.join(tokens)}")


def _inverted(literal: str) -> str:
    return "False" if literal == "True" else "True"


def _show(state: Keyed) -> str:
    return " ".join(f"{key} {token}" for key, token in state)


FAMILY = Family(_NAME, generate, solve, corrupt)
