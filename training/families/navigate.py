"""navigate: walks of which about half lead back, and sums, directions or turns mistaken."""

import random
import re

from training.families.shared import other
from trigreason.bundled.families.chains import StateStep, read_state
from trigreason.bundled.families.navigate import DIRECTIONS, TURNS, show

_LARGEST = 10
_FACING_SHARE, _PLAIN_SHARE = 0.5, 0.05


def generate(rng: random.Random) -> str:
    """Steps in four directions, or steps and turns; about half of the walks lead back."""
    draw = rng.random()
    if draw < _FACING_SHARE:
        return _question("Always face forward. ", _walk_facing(rng))
    if draw < _FACING_SHARE + _PLAIN_SHARE:
        return _question("", [_take(rng.randint(1, _LARGEST)) for _ in range(rng.randint(3, 8))])
    return _question("", _walk_turning(rng))


def _walk_facing(rng: random.Random) -> list[str]:
    moves = [
        (rng.randint(1, _LARGEST), rng.choice(DIRECTIONS))
        for _ in range(rng.choices(range(2, 10), (12, 31, 28, 15, 16, 8, 9, 3))[0])
    ]
    if rng.random() < 0.4:
        moves = _led_back(rng, moves)
    return [_take(count, way) for count, way in moves]


def _led_back(rng: random.Random, moves: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """As many moves, of which the last few undo the others as far as single moves can."""
    totals = dict.fromkeys(DIRECTIONS, 0)
    kept = moves[: max(1, len(moves) - 2)]
    for count, way in kept:
        totals[way] += count
    for ahead, back in (DIRECTIONS[0::2], DIRECTIONS[1::2]):
        gap = totals[ahead] - totals[back]
        while gap:
            count = min(abs(gap), rng.randint(1, _LARGEST) if abs(gap) > _LARGEST else _LARGEST)
            kept.append((count, back if gap > 0 else ahead))
            gap += -count if gap > 0 else count
    rng.shuffle(kept)
    return kept if 2 <= len(kept) <= 9 else moves


def _walk_turning(rng: random.Random) -> list[str]:
    """A walk of steps and turns, where half of the walks end where they began."""
    length = rng.choices(range(3, 10), (5, 24, 25, 15, 24, 14, 7))[0]
    back = rng.random() < 0.5
    while True:
        walk = [
            _take(rng.randint(1, _LARGEST))
            if rng.random() < 0.6
            else f"Turn {rng.choice([*TURNS])}"
            for _ in range(length)
        ]
        text = _question("", walk)
        if "Turn" in text and "Take" in text and (not back or _leads_back(walk)):
            return walk


def _leads_back(walk: list[str]) -> bool:
    x, y, ahead, aside = 0, 0, 1, 0
    for instruction in walk:
        verb, what = instruction.split()[:2]
        if verb == "Take":
            x, y = x + int(what) * aside, y + int(what) * ahead
        else:
            for _ in range(TURNS[what]):
                ahead, aside = -aside, ahead
    return (x, y) == (0, 0)


def _question(facing: str, instructions: list[str]) -> str:
    return (
        "If you follow these instructions, do you return to the starting point? "
        f"{facing}{' '.join(text + '.' for text in instructions)}\nOptions:\n- Yes\n- No"
    )


def _take(count: int, way: str = "") -> str:
    return f"Take {count} step{'s' if count > 1 else ''}{' ' + way if way else ''}"


def corrupt(text: str, rng: random.Random) -> str | None:
    """A sum off by one, a total taken from or put under another direction, or a wrong turn."""
    step = read_state(text)
    if step is None:
        return _corrupt_plan(text, rng) or _corrupt_verdict(text, rng)
    if not step.operation.startswith("Do "):
        return None
    facing, totals = _read(step.state)
    done, result = step.operation.split(": ", 1)
    if result.startswith("from"):
        assert facing is not None
        start = result.split()[1]
        facing = other(rng, DIRECTIONS, facing)
        return str(
            StateStep(f"{done}: from {start} to {facing}.", step.number, show(facing, totals))
        )
    way, before, count, total = re.findall(r"[a-z]+|\d+", result)
    if rng.random() < 0.5:
        totals[way] = max(0, int(total) + rng.choice((-1, 1)))
        wrong = f"{done}: {way} {before} + {count} = {totals[way]}."
        return str(StateStep(wrong, step.number, show(facing, totals)))
    elsewhere = other(rng, DIRECTIONS, way)
    mixed = totals | {way: int(before), elsewhere: totals[elsewhere] + int(count)}
    wrong = f"{done}: {elsewhere} {totals[elsewhere]} + {count} = {mixed[elsewhere]}."
    return str(StateStep(wrong, step.number, show(facing, mixed)))


def _corrupt_plan(text: str, rng: random.Random) -> str | None:
    """A number or a direction mistaken in one of the instructions listed."""
    if not text.startswith("Plan: "):
        return None
    parts = text.removeprefix("Plan: ").removesuffix(".").split(", ")
    at = rng.randrange(len(parts))
    n, what, how = parts[at].split()
    if what == "turn":
        how = other(rng, TURNS, how)
    elif what != "step" and rng.random() < 0.5:
        what = other(rng, DIRECTIONS, what)
    else:
        how = str(other(rng, range(1, _LARGEST + 1), int(how)))
    parts[at] = f"{n} {what} {how}"
    return f"Plan: {', '.join(parts)}."


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    """Equal totals taken for different ones, or the other way round."""
    found = re.fullmatch(r"Compare: (.+) (same|differ), (.+) (same|differ), so \w+\.", text)
    if found is None:
        return None
    agree = [found[2], found[4]]
    at = rng.randrange(2)
    agree[at] = other(rng, ("same", "differ"), agree[at])
    verdict = "Yes" if agree == ["same", "same"] else "No"
    return f"Compare: {found[1]} {agree[0]}, {found[3]} {agree[1]}, so {verdict}."


def _read(state: str) -> tuple[str | None, dict[str, int]]:
    facing = re.match(r"facing (\w+), ", state)
    totals = {way: int(total) for way, total in re.findall(r"(\w+) (\d+)", state)}
    return (facing[1] if facing else None), totals
