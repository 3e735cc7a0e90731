"""navigate: whether instructions lead back to the starting point.

The chain adds up the steps in each of four directions, as seen from the start: sums of small
numbers without a sign. The walk ends at its start if opposite directions have equal totals.
"""

import re

from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "navigate"
DIRECTIONS = ("forward", "right", "backward", "left")
"""In the order in which turning right goes through them."""
TURNS = {"right": 1, "around": 2, "left": 3}

_QUESTION = re.compile(
    r"If you follow these instructions, do you return to the starting point\?"
    r"(?P<facing> Always face forward\.)?(?P<instructions>(?: (?:Take|Turn) [\w ]+\.)+)"
    r"\nOptions:\n- Yes\n- No"
)
_INSTRUCTION = re.compile(
    r" (?:Take (?P<count>\d+) steps?(?: (?P<way>\w+))?|Turn (?P<turn>right|left|around))\."
)


def solve(question: str) -> Solution:
    """Walk; raises ValueError for a question of another format."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    instructions = list(_INSTRUCTION.finditer(match["instructions"]))
    if "".join(m[0] for m in instructions) != match["instructions"]:
        raise ValueError(f"an instruction cannot be read: {match['instructions']!r}")
    totals = dict.fromkeys(DIRECTIONS, 0)
    facing: str | None = None if match["facing"] else "forward"
    plan = ", ".join(f"{n} {_short(m)}" for n, m in enumerate(instructions, 1))
    texts = [f"Plan: {plan}.", str(StateStep("", 0, show(facing, totals)))]
    for n, instruction in enumerate(instructions, 1):
        short = _short(instruction)
        if instruction["turn"]:
            assert facing is not None or match["facing"]
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
        texts.append(str(StateStep(operation, n, show(facing, totals))))
    comparisons = [
        _compared(totals, *ends) for ends in (("forward", "backward"), ("right", "left"))
    ]
    verdict = "No" if any("differ" in text for text in comparisons) else "Yes"
    texts.append(f"Compare: {comparisons[0]}, {comparisons[1]}, so {verdict}.")
    return Solution(_NAME, question, verdict, tuple(texts))


def _short(instruction: re.Match[str]) -> str:
    if instruction["turn"]:
        return f"turn {instruction['turn']}"
    return f"{instruction['way'] or 'step'} {instruction['count']}"


def _turned(facing: str, turn: str) -> str:
    return DIRECTIONS[(DIRECTIONS.index(facing) + TURNS[turn]) % len(DIRECTIONS)]


def _compared(totals: dict[str, int], one: str, opposite: str) -> str:
    agree = "same" if totals[one] == totals[opposite] else "differ"
    return f"{one} {totals[one]} {opposite} {totals[opposite]} {agree}"


def show(facing: str | None, totals: dict[str, int]) -> str:
    """The state's text; it has the facing only if turns count."""
    shown = " ".join(f"{way} {total}" for way, total in totals.items())
    return f"facing {facing}, {shown}" if facing else shown


FAMILY = Family(_NAME, solve)
