"""tracking_shuffled_objects: the published stories with random swaps, and swaps gone wrong."""

import random
import re
from dataclasses import dataclass

from training.families.shared import listed, other
from trigreason.bundled.families.chains import StateStep, read_state
from trigreason.bundled.families.tracking import show, swap_step


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
        return str(StateStep(step.operation, step.number, show(state)))
    if kind == 1:
        wrong = other(rng, [v for v in state.values() if v != va], vb)
        before = state | {a: va, b: wrong}
        return swap_step(int(n), before, a, b)
    key = rng.choice(list(state))
    state[key] = other(rng, list(state.values()), state[key])
    return str(StateStep(step.operation, step.number, show(state)))


def _corrupt_plan(text: str, rng: random.Random) -> str | None:
    """One of two names mistaken in one of the swaps listed."""
    asked, found, swaps = text.partition(" Swaps: ")
    if not found:
        return None
    names = list(re.finditer(r"[A-Z]\w*", swaps))
    wrong = rng.choice(names)
    name = other(rng, sorted({match[0] for match in names}), wrong[0])
    return f"{asked}{found}{swaps[: wrong.start()]}{name}{swaps[wrong.end() :]}"


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    found = re.fullmatch(r"Asked: (\w+) ([A-G])\.", text)
    return found and f"Asked: {found[1]} {other(rng, 'ABC', found[2])}."
