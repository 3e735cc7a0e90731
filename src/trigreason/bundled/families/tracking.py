"""tracking_shuffled_objects: who holds what after a number of swaps of two.

The chain numbers the swaps in its plan, then carries the whole assignment, by option letter, from
one swap to the next.
"""

import random
import re
from dataclasses import dataclass

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, other, read_state
from trigreason.bundled.families.words import listed


@dataclass(frozen=True, slots=True)
class Story:
    """One of the published settings, up to the swaps and after them."""

    opening: str
    holds: str
    middle: str
    swap: str
    ending: str
    values: str
    """What the people may hold, separated by bars."""


def _colored(*things: str) -> str:
    """``black ball|blue ball|...``: the first thing in most colors, the last in three."""
    colors = ("blue", "brown", "green", "purple", "red", "white", "yellow", "gray", "silver")
    mostly = [f"{color} {things[0]}" for color in colors]
    return "|".join(mostly + [f"{color} {things[-1]}" for color in ("black", "orange", "pink")])


STORIES = (
    Story(
        "friends and avid readers who occasionally trade books. At the start of the semester, "
        "they each buy one new book",
        "gets",
        "As the semester proceeds, they start trading around the new books.",
        "swap books",
        "At the end of the semester, {} has",
        "The Odyssey|Lolita|Frankenstein|Catch-22|The Pearl|Moby Dick|Hound of the Baskervilles|"
        "The Fellowship of the Ring|Ulysses|The Great Gatsby|Dracula|Walden",
    ),
    Story(
        "dancers at a square dance. At the start of a song, they each have a partner",
        "is dancing with",
        "Throughout the song, the dancers often trade partners.",
        "switch partners",
        "At the end of the dance, {} is dancing with",
        "Ophelia|Jamie|Izzi|Lola|Rodrigo|Melissa|Patrick|Helga|Karl|Sam|Nina|Otto",
    ),
    Story(
        "playing a game. At the start of the game, they are each holding a ball",
        "has a",
        "As the game progresses, pairs of players trade balls.",
        "swap balls",
        "At the end of the game, {} has the",
        _colored("ball"),
    ),
    Story(
        "holding a white elephant gift exchange. At the start of the event, they are each holding "
        "a present of a different color",
        "has a",
        "As the event progresses, pairs of people swap gifts.",
        "swap their gifts",
        "At the end of the event, {} has the",
        _colored("present", "ball"),
    ),
    Story(
        "on the same team in a soccer match. At the start of the match, they are each assigned to "
        "a position",
        "is playing",
        "As the game progresses, pairs of players occasionally swap positions.",
        "trade positions",
        "At the end of the match, {} is playing",
        "right midfielder|left winger|center midfielder|right winger|goalkeeper|fullback|"
        "cheerleader|benchwarmer|left midfielder|striker|sweeper|referee",
    ),
)

FRIENDS = ("Alice", "Bob", "Claire", "Dave", "Eve", "Fred", "Gertrude")
_MORE_FRIENDS = ("Hugo", "Irene", "Jack")
_OTHER_PEOPLE_SHARE = 0.1
"""How often the people are not the first few of the published ones, in their order: so that names
are truly looked up."""

_QUESTION = re.compile(
    r"(?P<people>[\w, ]+) are .*?: (?P<start>.+)\.\n"
    r".*? (?P<swaps>First, .+\.) At the end of the \w+, (?P<asked>\w+) .*\nOptions:\n"
    r"(?P<options>(?:\([A-G]\) .+\n?)+)"
)
_SWAP = re.compile(r"(?:First|Then|Finally), (\w+) and (\w+) ")
_OPERATION = re.compile(
    r"Swap (?P<n>\d+) (?P<a>\w+) (?P<b>\w+): \w+ (?P<va>\w) \w+ (?P<vb>\w), so .*\."
)


def generate(rng: random.Random, count: int) -> str:
    """A question with ``count`` people and as many swaps."""
    story = rng.choice(STORIES)
    people = list(FRIENDS[:count])
    if rng.random() < _OTHER_PEOPLE_SHARE:
        people = rng.sample(FRIENDS + _MORE_FRIENDS, count)
    values = rng.sample(story.values.split("|"), count)
    swaps = []
    for index in range(count):
        when = "First" if index == 0 else "Finally" if index == count - 1 else "Then"
        first, second = rng.sample(people, 2)
        swaps.append(f"{when}, {first} and {second} {story.swap}.")
    start = listed([f"{p} {story.holds} {v}" for p, v in zip(people, values, strict=True)])
    options = "\n".join(f"({'ABCDEFG'[i]}) {value}" for i, value in enumerate(values))
    return (
        f"{listed(people)} are {story.opening}: {start}.\n{story.middle} {' '.join(swaps)} "
        f"{story.ending.format(rng.choice(people))}\nOptions:\n{options}"
    )


def solve(question: str, name: str) -> Solution:
    """Carry out the swaps; raises ValueError for a question of another format."""
    found = _QUESTION.fullmatch(question)
    if found is None:
        raise ValueError(f"not a {name} question: {question[:80]!r}")
    people = re.findall(r"(?!and\b)\w+", found["people"])
    swaps = _SWAP.findall(found["swaps"])
    options = {value: letter for letter, value in re.findall(r"\(([A-G])\) (.+)", found["options"])}
    state = _starting_state(people, found["start"], options)
    if found["asked"] not in state or any({*pair} - {*people} for pair in swaps):
        raise ValueError(f"a swap or the question names somebody unknown: {question[:80]!r}")
    numbered = ", ".join(f"{n} {first} {second}" for n, (first, second) in enumerate(swaps, 1))
    texts = [f"Asked: {found['asked']}. Swaps: {numbered}.", str(StateStep("", 0, _show(state)))]
    for n, (first, second) in enumerate(swaps, 1):
        texts.append(_swap_step(n, state, first, second))
        state[first], state[second] = state[second], state[first]
    texts.append(f"Asked: {found['asked']} {state[found['asked']]}.")
    return chain(name, question, f"({state[found['asked']]})", texts)


def corrupt(text: str, rng: random.Random) -> str | None:
    """A swap forgotten, or done on a neighbor's letter, or a letter copied to the wrong key."""
    step = read_state(text)
    if step is None:
        return _corrupt_plan(text, rng) or _corrupt_verdict(text, rng)
    operation = _OPERATION.fullmatch(step.operation)
    if operation is None:
        return None
    n, a, b, va, vb = operation.groups()
    pairs = re.findall(r"(\w+) (\w)", step.state)
    state = dict(pairs)
    kind = rng.randrange(3)
    if kind == 0:
        state[a], state[b] = va, vb
        return str(StateStep(step.operation, step.number, _show(state)))
    if kind == 1:
        wrong = other(rng, [v for v in state.values() if v != va], vb)
        before = state | {a: va, b: wrong}
        return _swap_step(int(n), before, a, b)
    key = rng.choice(list(state))
    state[key] = other(rng, list(state.values()), state[key])
    return str(StateStep(step.operation, step.number, _show(state)))


def _corrupt_plan(text: str, rng: random.Random) -> str | None:
    """One of two names mistaken in one of the swaps listed."""
    asked, found, swaps = text.partition(" Swaps: ")
    if not found:
        return None
    names = list(re.finditer(r"[A-Z]\w*", swaps))
    wrong = rng.choice(names)
    name = other(rng, {match[0] for match in names}, wrong[0])
    return f"{asked}{found}{swaps[: wrong.start()]}{name}{swaps[wrong.end() :]}"


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    found = re.fullmatch(r"Asked: (\w+) ([A-G])\.", text)
    return found and f"Asked: {found[1]} {other(rng, 'ABC', found[2])}."


def _starting_state(people: list[str], start: str, options: dict[str, str]) -> dict[str, str]:
    state = {}
    for part in re.split(r", (?:and )?", start):
        person = part.split(" ", 1)[0]
        held = [value for value in options if part.endswith(" " + value)]
        if person not in people or not held:
            raise ValueError(f"cannot read who holds what in {part!r}")
        state[person] = options[max(held, key=len)]
    return state


def _swap_step(n: int, state: dict[str, str], a: str, b: str) -> str:
    """The swap as its one-hop lookups: what each had, what each gets, and the new assignment."""
    had, gets = (state[a], state[b]), (state[b], state[a])
    operation = f"Swap {n} {a} {b}: {a} {had[0]} {b} {had[1]}, so {a} {gets[0]} {b} {gets[1]}."
    return str(StateStep(operation, n, _show(state | {a: gets[0], b: gets[1]})))


def _show(state: dict[str, str]) -> str:
    return " ".join(f"{person} {letter}" for person, letter in state.items())


def family(name: str, count: int) -> Family:
    """The family of ``count`` people, under its published name."""
    return Family(
        name,
        generate=lambda rng: generate(rng, count),
        solve=lambda question: solve(question, name),
        corrupt=corrupt,
    )
