"""object_counting: how many of the things listed are of one kind."""

import random
import re

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, read_state
from trigreason.bundled.families.words import listed

_NAME = "object_counting"
_NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_OBJECTS = "objects"
"""The kind that everything belongs to; the published list has furniture and the like under it."""

_S_PLURALS: dict[str, str] = {
    "vegetables": "cabbage,carrot,cauliflower,garlic,lettuce head,onion,yam,beet,turnip,leek",
    "fruits": "apple,banana,grape,nectarine,orange,plum,lemon,pear,apricot,mango,kiwi",
    "musical instruments": "accordion,clarinet,drum,flute,piano,trombone,trumpet,violin,cello,"
    "guitar,banjo,tuba",
    "animals": "bear,cat,chicken,cow,dog,donkey,duck,frog,goat,pig,rabbit,snail,snake,horse,"
    "camel,turtle",
    _OBJECTS: "bed,car,chair,fridge,lamp,microwave,oven,stove,table,toaster,desk,carpet",
}
_OTHER_PLURALS: dict[str, dict[str, str]] = {
    "vegetables": {
        "head of broccoli": "heads of broccoli",
        "stalk of celery": "stalks of celery",
        "potato": "potatoes",
    },
    "fruits": {
        "blackberry": "blackberries",
        "peach": "peaches",
        "raspberry": "raspberries",
        "strawberry": "strawberries",
    },
    "animals": {"fish": "fish", "mouse": "mice"},
    _OBJECTS: {"couch": "couches"},
}
_PLURALS: dict[str, dict[str, str]] = {
    kind: {word: word + "s" for word in words.split(",")} | _OTHER_PLURALS.get(kind, {})
    for kind, words in _S_PLURALS.items()
}
_KIND_OF = {
    form: kind for kind, plurals in _PLURALS.items() for pair in plurals.items() for form in pair
}
_QUESTION = re.compile(r"I have (?P<items>.+)\. How many (?P<kind>[a-z ]+) do I have\?")


def generate(rng: random.Random) -> str:
    """Two to twelve things, most of them of the kind that is asked for."""
    kind = rng.choice(list(_PLURALS))
    plurals = _PLURALS[kind]
    count = rng.choices(range(2, 13), (23, 27, 24, 28, 25, 28, 32, 26, 30, 3, 5))[0]
    strange = 0 if kind == _OBJECTS or count < 4 else rng.choice((0, 0, 1, 2, 3))
    words = [(word, kind) for word in rng.sample(list(plurals), min(count - strange, len(plurals)))]
    if strange:
        foreign = _OBJECTS if rng.random() < 0.7 else rng.choice([*_PLURALS])
        foreign = _OBJECTS if foreign == kind else foreign
        words += [(word, foreign) for word in rng.sample(list(_PLURALS[foreign]), strange)]
    rng.shuffle(words)
    things = [_thing(rng, word, _PLURALS[of][word]) for word, of in words]
    return f"I have {listed(things)}. How many {kind} do I have?"


def solve(question: str) -> Solution:
    """Add up; raises ValueError for another format, a thing or a kind that the lists lack."""
    found = _QUESTION.fullmatch(question)
    if found is None or found["kind"] not in _PLURALS:
        raise ValueError(f"not an {_NAME} question: {question[:80]!r}")
    kind, total = found["kind"], 0
    texts = [str(StateStep(f"Asked: {kind}.", 0, "total 0"))]
    for n, item in enumerate(re.split(r", (?:and )?", found["items"]), 1):
        number, _, thing = item.partition(" ")
        if number not in _NUMBERS or thing not in _KIND_OF:
            raise ValueError(f"cannot tell what {item!r} is")
        counts = kind in (_OBJECTS, _KIND_OF[thing])
        texts.append(_item_step(n, item, _KIND_OF[thing], counts, total))
        total += _NUMBERS[number] * counts
    texts.append(f"Asked: {kind}, total {total}.")
    return chain(_NAME, question, str(total), texts)


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
        return _item_step(step.number, item, kind, counts == "no", int(before))
    total = max(0, int(before) + int(added) + rng.choice((-1, 1)))
    operation = step.operation.rsplit(" ", 1)[0] + f" {total}."
    wrong = str(StateStep(operation, step.number, f"total {total}"))
    return wrong if wrong != text else None


def _corrupt_verdict(text: str, rng: random.Random) -> str | None:
    found = re.fullmatch(r"(Asked: .+, total) (\d+)\.", text)
    return found and f"{found[1]} {abs(int(found[2]) + rng.choice((-1, 1)))}."


def _item_step(n: int, item: str, kind: str, counts: bool, total: int) -> str:
    added = _NUMBERS[item.split(" ", 1)[0]] * counts
    verdict = "yes" if counts else "no"
    operation = f"Item {n}: {item} of {kind}, {verdict}, {total} + {added} = {total + added}."
    return str(StateStep(operation, n, f"total {total + added}"))


def _thing(rng: random.Random, singular: str, plural: str) -> str:
    if rng.random() < 0.75:
        return f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"
    return f"{rng.choices(('two', 'three', 'four', 'five'), (50, 30, 16, 4))[0]} {plural}"


FAMILY = Family(_NAME, generate, solve, corrupt)
