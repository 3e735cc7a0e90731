"""object_counting: things drawn from the kinds, and sums or kinds mistaken."""

import random
import re

from training.families.shared import listed
from trigreason.bundled.families.chains import StateStep, read_state
from trigreason.bundled.families.object_counting import OBJECTS, PLURALS, item_step


def generate(rng: random.Random) -> str:
    """Two to twelve things, most of them of the kind that is asked for."""
    kind = rng.choice(list(PLURALS))
    plurals = PLURALS[kind]
    count = rng.choices(range(2, 13), (23, 27, 24, 28, 25, 28, 32, 26, 30, 3, 5))[0]
    strange = 0 if kind == OBJECTS or count < 4 else rng.choice((0, 0, 1, 2, 3))
    words = [(word, kind) for word in rng.sample(list(plurals), min(count - strange, len(plurals)))]
    if strange:
        foreign = OBJECTS if rng.random() < 0.7 else rng.choice([*PLURALS])
        foreign = OBJECTS if foreign == kind else foreign
        words += [(word, foreign) for word in rng.sample(list(PLURALS[foreign]), strange)]
    rng.shuffle(words)
    things = [_thing(rng, word, PLURALS[of][word]) for word, of in words]
    return f"I have {listed(things)}. How many {kind} do I have?"


def _thing(rng: random.Random, singular: str, plural: str) -> str:
    if rng.random() < 0.75:
        return f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"
    return f"{rng.choices(('two', 'three', 'four', 'five'), (50, 30, 16, 4))[0]} {plural}"


def corrupt(text: str, rng: random.Random) -> str | None:
    """A sum off by one, a thing taken for the wrong kind, or a number misread."""
    step = read_state(text)
    if step is None:
        return _corrupt_verdict(text, rng)
    found = re.fullmatch(
        r"Item \d+: (.+) of (.+), (yes|no), (\d+) \+ (\d+) = \d+\.", step.operation
    )
    if found is None:
        return None
    item, kind, counts, before, added = found.groups()
    if rng.random() < 0.4:
        return item_step(step.number, item, kind, counts == "no", int(before))
    total = max(0, int(before) + int(added) + rng.choice((-1, 1)))
    operation = step.operation.rsplit(" ", 1)[0] + f" {total}."
    wrong = str(StateStep(operation, step.number, f"total {total}"))
    return wrong if wrong != text else None


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    found = re.fullmatch(r"(Asked: .+, total) (\d+)\.", text)
    return found and f"{found[1]} {abs(int(found[2]) + rng.choice((-1, 1)))}."
