"""dyck_languages: balanced sequences without their end, and brackets or depths mistaken."""

import math
import random

from training.families.shared import other
from trigreason.bundled.families.chains import StateStep, read_state
from trigreason.bundled.families.dyck import CLOSING, LABELS, TASK, depths_of

_LONGEST = 99
_REST_WEIGHTS = (81, 97, 72)
"""How often the published sequences lack one, two and three brackets."""
_NESTING = 0.7
"""The chance that a balanced part is one pair around the rest; it gives the published depths."""


def generate(rng: random.Random) -> str:
    """A balanced sequence of log-uniform length without its last one to three brackets."""
    rest = rng.choices((1, 2, 3), _REST_WEIGHTS)[0]
    while True:
        length = math.exp(rng.uniform(math.log(2), math.log(_LONGEST + 1)))
        brackets = _balanced(rng, (int(length) + rest + 1) // 2)
        given, lacking = brackets[:-rest], brackets[-rest:]
        closed = all(bracket not in CLOSING for bracket in lacking)
        if given and closed and max(depths_of(given)) < len(LABELS):
            return TASK + " ".join(given)


def _balanced(rng: random.Random, pairs: int) -> list[str]:
    if pairs == 0:
        return []
    if pairs == 1 or rng.random() < _NESTING:
        opening = rng.choice(list(CLOSING))
        return [opening, *_balanced(rng, pairs - 1), CLOSING[opening]]
    left = rng.randint(1, pairs - 1)
    return _balanced(rng, left) + _balanced(rng, pairs - left)


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
        kind = "".join(CLOSING if tokens[at] in CLOSING else CLOSING.values())
        tokens[at] = other(rng, kind, tokens[at])
    else:
        down = min(tokens[at + 1 :: 2]) == LABELS[0] or rng.random() < 0.5
        for i in range(at + 1, len(tokens), 2):
            tokens[i] = LABELS[(LABELS.index(tokens[i]) + (1 if down else -1)) % len(LABELS)]
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
        opening = other(rng, CLOSING, opening)
        parts[at] = f"{depth} {opening} {CLOSING[opening]}"
    return f"Left: {', '.join(parts)}."
