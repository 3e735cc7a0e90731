"""boolean_expressions: the value of a short expression of not, and, or and parentheses.

The chain gives every token a letter as its key and reduces one operation per step. The key of the
first token that an operation takes passes to its result.
"""

import re

from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "boolean_expressions"
LITERALS = ("True", "False")
_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUESTION = re.compile(r"((?:(?:True|False|not|and|or|\(|\)) )+)is")

Keyed = list[tuple[str, str]]
"""Tokens with their keys: ``[("A", "not"), ("B", "True")]``."""


def solve(question: str) -> Solution:
    """Reduce to one literal; raises ValueError for anything but an expression."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    tokens = match[1].split()
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
    return Solution(_NAME, question, state[0][1], tuple(texts))


def _reduction(state: Keyed) -> tuple[int, int, str]:
    """Where the next operation starts, how many tokens it takes, and its value.

    The order can be seen locally: the leftmost ``not`` of a literal, else the leftmost literal in
    parentheses, else the leftmost ``and`` of literals, else the leftmost ``or`` of literals that
    no ``and`` still claims.
    """
    tokens = [token for _, token in state]
    padded = [*tokens, "", ""]
    literal = [token in LITERALS for token in padded]
    places = range(len(tokens))
    for i in places:
        if padded[i] == "not" and literal[i + 1]:
            return i, 2, inverted(padded[i + 1])
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


def inverted(literal: str) -> str:
    """The other one of the two literals."""
    return "False" if literal == "True" else "True"


def _show(state: Keyed) -> str:
    return " ".join(f"{key} {token}" for key, token in state)


FAMILY = Family(_NAME, solve)
