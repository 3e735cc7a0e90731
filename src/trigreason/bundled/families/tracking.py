"""tracking_shuffled_objects: who holds what after a number of swaps between two people.

The chain numbers the swaps in its plan, then carries the whole assignment, by option letter, from
one swap to the next.
"""

import re
from functools import partial

from trigreason.bundled.families.chains import Family, Solution, StateStep

_QUESTION = re.compile(
    r"(?P<people>[\w, ]+) are .*?: (?P<start>.+)\.\n"
    r".*? (?P<swaps>First, .+\.) At the end of the \w+, (?P<asked>\w+) .*\nOptions:\n"
    r"(?P<options>(?:\([A-G]\) .+\n?)+)"
)
_SWAP = re.compile(r"(?:First|Then|Finally), (\w+) and (\w+) ")


def solve(question: str, name: str) -> Solution:
    """Carry out the swaps; raises ValueError for a question of another format."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        raise ValueError(f"not a {name} question: {question[:80]!r}")
    people = re.findall(r"(?!and\b)\w+", match["people"])
    swaps = _SWAP.findall(match["swaps"])
    options = {value: letter for letter, value in re.findall(r"\(([A-G])\) (.+)", match["options"])}
    state = _starting_state(people, match["start"], options)
    if match["asked"] not in state or any({*pair} - {*people} for pair in swaps):
        raise ValueError(f"a swap or the question names somebody unknown: {question[:80]!r}")
    numbered = ", ".join(f"{n} {first} {second}" for n, (first, second) in enumerate(swaps, 1))
    texts = [f"Asked: {match['asked']}. Swaps: {numbered}.", str(StateStep("", 0, show(state)))]
    for n, (first, second) in enumerate(swaps, 1):
        texts.append(swap_step(n, state, first, second))
        state[first], state[second] = state[second], state[first]
    texts.append(f"Asked: {match['asked']} {state[match['asked']]}.")
    return Solution(name, question, f"({state[match['asked']]})", tuple(texts))


def _starting_state(people: list[str], start: str, options: dict[str, str]) -> dict[str, str]:
    state = {}
    for part in re.split(r", (?:and )?", start):
        person = part.split(" ", 1)[0]
        held = [value for value in options if part.endswith(" " + value)]
        if person not in people or not held:
            raise ValueError(f"cannot read who holds what in {part!r}")
        state[person] = options[max(held, key=len)]
    return state


def swap_step(n: int, state: dict[str, str], a: str, b: str) -> str:
    """The swap as its one-hop lookups: what each had, what each gets, and the new assignment."""
    had, gets = (state[a], state[b]), (state[b], state[a])
    operation = f"Swap {n} {a} {b}: {a} {had[0]} {b} {had[1]}, so {a} {gets[0]} {b} {gets[1]}."
    return str(StateStep(operation, n, show(state | {a: gets[0], b: gets[1]})))


def show(state: dict[str, str]) -> str:
    """The state's text: each person and the letter of what they hold."""
    return " ".join(f"{person} {letter}" for person, letter in state.items())


def family(name: str) -> Family:
    """The family for one number of people, under its published name."""
    return Family(name, partial(solve, name=name))
