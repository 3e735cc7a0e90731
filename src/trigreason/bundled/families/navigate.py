"""navigate: whether instructions lead back to the starting point.

The chain adds up the steps in each of four directions, as seen from the start: sums of small
numbers without a sign. One is back when opposite directions have equal totals.
"""

import random
import re

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, other, read_state

_NAME = "navigate"
DIRECTIONS = ("forward", "right", "backward", "left")
"""In the order in which turning right goes through them."""
_TURNS = {"right": 1, "around": 2, "left": 3}
_LARGEST = 10
_FACING_SHARE, _PLAIN_SHARE = 0.5, 0.05

_QUESTION = re.compile(
    r"If you follow these instructions, do you return to the starting point\?"
    r"(?P<facing> Always face forward\.)?(?P<instructions>(?: (?:Take|Turn) [\w ]+\.)+)"
    r"\nOptions:\n- Yes\n- No"
)
_INSTRUCTION = re.compile(
    r" (?:Take (?P<count>\d+) steps?(?: (?P<way>\w+))?|Turn (?P<turn>right|left|around))\."
)


def generate(rng: random.Random) -> str:
    """Steps in four directions, or steps and turns; about half of the walks lead back."""
    draw = rng.random()
    if draw < _FACING_SHARE:
        return _question("Always face forward. ", _walk_facing(rng))
    if draw < _FACING_SHARE + _PLAIN_SHARE:
        return _question("", [_take(rng.randint(1, _LARGEST)) for _ in range(rng.randint(3, 8))])
    return _question("", _walk_turning(rng))


def solve(question: str) -> Solution:
    """Walk; raises ValueError for a question of another format."""
    found = _QUESTION.fullmatch(question)
    if found is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    instructions = list(_INSTRUCTION.finditer(found["instructions"]))
    if "".join(m[0] for m in instructions) != found["instructions"]:
        raise ValueError(f"an instruction cannot be read: {found['instructions']!r}")
    totals = dict.fromkeys(DIRECTIONS, 0)
    facing: str | None = None if found["facing"] else "forward"
    plan = ", ".join(f"{n} {_short(m)}" for n, m in enumerate(instructions, 1))
    texts = [f"Plan: {plan}.", str(StateStep("", 0, _show(facing, totals)))]
    for n, instruction in enumerate(instructions, 1):
        short = _short(instruction)
        if instruction["turn"]:
            assert facing is not None or found["facing"]
            turned = _turned(facing or "forward", instruction["turn"])
            operation = f"Do {n} {short}: from {facing or 'forward'} to {turned}."
            facing = turned
        else:
            way = instruction["way"] or facing or "forward"
            if way not in totals:
                raise ValueError(f"no such direction: {way!r}")
            count = int(instruction["count"])
            operation = f"Do {n} {short}: {way} {totals[way]} + {count} = {totals[way] + count}."
            totals[way] += count
        texts.append(str(StateStep(operation, n, _show(facing, totals))))
    comparisons = [
        _compared(totals, *ends) for ends in (("forward", "backward"), ("right", "left"))
    ]
    verdict = "No" if any("differ" in text for text in comparisons) else "Yes"
    texts.append(f"Compare: {comparisons[0]}, {comparisons[1]}, so {verdict}.")
    return chain(_NAME, question, verdict, texts)


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
            StateStep(f"{done}: from {start} to {facing}.", step.number, _show(facing, totals))
        )
    way, before, count, total = re.findall(r"[a-z]+|\d+", result)
    if rng.random() < 0.5:
        totals[way] = max(0, int(total) + rng.choice((-1, 1)))
        wrong = f"{done}: {way} {before} + {count} = {totals[way]}."
        return str(StateStep(wrong, step.number, _show(facing, totals)))
    elsewhere = other(rng, DIRECTIONS, way)
    mixed = totals | {way: int(before), elsewhere: totals[elsewhere] + int(count)}
    wrong = f"{done}: {elsewhere} {totals[elsewhere]} + {count} = {mixed[elsewhere]}."
    return str(StateStep(wrong, step.number, _show(facing, mixed)))


def _corrupt_plan(text: str, rng: random.Random) -> str | None:
    """A number or a direction mistaken in one of the instructions listed."""
    if not text.startswith("Plan: "):
        return None
    parts = text.removeprefix("Plan: ").removesuffix(".").split(", ")
    at = rng.randrange(len(parts))
    n, what, how = parts[at].split()
    if what == "turn":
        how = other(rng, _TURNS, how)
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
            else f"Turn {rng.choice([*_TURNS])}"
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
            for _ in range(_TURNS[what]):
                ahead, aside = -aside, ahead
    return (x, y) == (0, 0)


def _question(facing: str, instructions: list[str]) -> str:
    return (
        "If you follow these instructions, do you return to the starting point? "
        f"{facing}{' '.join(text + '.' for text in instructions)}\nOptions:\n- Yes\n- No"
    )


def _take(count: int, way: str = "") -> str:
    return f"Take {count} step{'s' if count > 1 else ''}{' ' + way if way else ''}"


def _short(instruction: re.Match[str]) -> str:
    if instruction["turn"]:
        return f"turn {instruction['turn']}"
    return f"{instruction['way'] or 'step'} {instruction['count']}"


def _turned(facing: str, turn: str) -> str:
    return DIRECTIONS[(DIRECTIONS.index(facing) + _TURNS[turn]) % len(DIRECTIONS)]


def _compared(totals: dict[str, int], one: str, opposite: str) -> str:
    agree = "same" if totals[one] == totals[opposite] else "differ"
    return f"{one} {totals[one]} {opposite} {totals[opposite]} {agree}"


def _show(facing: str | None, totals: dict[str, int]) -> str:
    shown = " ".join(f"{way} {total}" for way, total in totals.items())
    return f"facing {facing}, {shown}" if facing else shown


def _read(state: str) -> tuple[str | None, dict[str, int]]:
    facing = re.match(r"facing (\w+), ", state)
    totals = {way: int(total) for way, total in re.findall(r"(\w+) (\d+)", state)}
    return (facing[1] if facing else None), totals


FAMILY = Family(_NAME, generate, solve, corrupt)
