"""dyck_languages: which brackets close what a sequence leaves open.

A stack restated per bracket would take too many tokens, so the chain labels every bracket with a
letter for its depth, ten brackets a step. The label follows from the one before: an opening
bracket after a closing one, or the other way round, repeats it; otherwise it is one deeper or one
less deep. What is still open is then the latest bracket of each label down from the last.
"""

import math
import random
import string

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, other, read_state

_NAME = "dyck_languages"
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_BRACKETS = "".join(_CLOSING) + "".join(_CLOSING.values())
_DEPTHS = string.ascii_lowercase
_PER_STEP = 10
_LONGEST = 99
_REST_WEIGHTS = (81, 97, 72)
"""How often the published sequences lack one, two and three brackets."""
_NESTING = 0.7
"""The chance that a balanced part is one pair around the rest; it gives the published depths."""
_TASK = (
    "Complete the rest of the sequence, making sure that the parentheses are closed properly. "
    "Input: "
)


def generate(rng: random.Random) -> str:
    """A balanced sequence of log-uniform length without its last one to three brackets."""
    rest = rng.choices((1, 2, 3), _REST_WEIGHTS)[0]
    while True:
        length = math.exp(rng.uniform(math.log(2), math.log(_LONGEST + 1)))
        brackets = _balanced(rng, (int(length) + rest + 1) // 2)
        given, lacking = brackets[:-rest], brackets[-rest:]
        closed = all(bracket not in _CLOSING for bracket in lacking)
        if given and closed and max(_depths(given)) < len(_DEPTHS):
            return _TASK + " ".join(given)


def solve(question: str) -> Solution:
    """Label and close; raises ValueError for another format or a sequence not well nested."""
    brackets = question.removeprefix(_TASK).split(" ")
    if not question.startswith(_TASK) or not all(b and b in _BRACKETS for b in brackets):
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    left: list[str] = []
    for bracket in brackets:
        if bracket in _CLOSING:
            left.append(bracket)
        elif not left or _CLOSING[left.pop()] != bracket:
            raise ValueError(f"not well nested: {question!r}")
    depths = _depths(brackets)
    if max(depths) >= len(_DEPTHS) or not left:
        raise ValueError(f"nested too deeply, or nothing left to close: {question!r}")
    labeled = [f"{b} {_DEPTHS[depth]}" for b, depth in zip(brackets, depths, strict=True)]
    texts = [str(StateStep("Plan: label each bracket by its depth.", 0, "none"))]
    for start in range(0, len(labeled), _PER_STEP):
        texts.append(str(StateStep("", len(texts), " ".join(labeled[start : start + _PER_STEP]))))
    open_ones = [f"{_DEPTHS[depth]} {b} {_CLOSING[b]}" for depth, b in enumerate(left)]
    texts.append(f"Left: {', '.join(reversed(open_ones))}.")
    return chain(_NAME, question, " ".join(_CLOSING[b] for b in reversed(left)), texts)


def corrupt(text: str, rng: random.Random) -> str | None:
    """A bracket miscopied, depths off by one from some place on, or an open bracket forgotten."""
    step = read_state(text)
    if step is None:
        return _corrupt_verdict(text, rng)
    if step.operation:
        return None
    tokens = step.state.split()
    at = 2 * rng.randrange(len(tokens) // 2)
    if rng.random() < 0.5:
        kind = "".join(_CLOSING if tokens[at] in _CLOSING else _CLOSING.values())
        tokens[at] = other(rng, kind, tokens[at])
    else:
        down = min(tokens[at + 1 :: 2]) == _DEPTHS[0] or rng.random() < 0.5
        for i in range(at + 1, len(tokens), 2):
            tokens[i] = _DEPTHS[(_DEPTHS.index(tokens[i]) + (1 if down else -1)) % len(_DEPTHS)]
    return str(StateStep("", step.number, " ".join(tokens)))


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    if not text.startswith("Left: "):
        return None
    parts = text.removeprefix("Left: ").removesuffix(".").split(", ")
    at = rng.randrange(len(parts))
    if len(parts) > 1 and rng.random() < 0.5:
        del parts[at]
    else:
        depth, opening, _ = parts[at].split()
        opening = other(rng, _CLOSING, opening)
        parts[at] = f"{depth} {opening} {_CLOSING[opening]}"
    return f"Left: {', '.join(parts)}."


def _balanced(rng: random.Random, pairs: int) -> list[str]:
    if pairs == 0:
        return []
    if pairs == 1 or rng.random() < _NESTING:
        opening = rng.choice(list(_CLOSING))
        return [opening, *_balanced(rng, pairs - 1), _CLOSING[opening]]
    left = rng.randint(1, pairs - 1)
    return _balanced(rng, left) + _balanced(rng, pairs - left)


def _depths(brackets: list[str]) -> list[int]:
    """The depth of each bracket, from 0; a closing one has that of the bracket it closes."""
    depths, depth = [], 0
    for bracket in brackets:
        depth -= bracket not in _CLOSING
        depths.append(depth)
        depth += bracket in _CLOSING
    return depths


FAMILY = Family(_NAME, generate, solve, corrupt)
