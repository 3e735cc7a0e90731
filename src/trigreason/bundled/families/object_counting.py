"""object_counting: how many of the things listed are of one kind."""

import re

from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "object_counting"
_NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5}
OBJECTS = "objects"
"""The kind that everything belongs to; the published list has furniture and the like under it."""

_S_PLURALS: dict[str, str] = {
    "vegetables": "cabbage,carrot,cauliflower,garlic,lettuce head,onion,yam,beet,turnip,leek",
    "fruits": "apple,banana,grape,nectarine,orange,plum,lemon,pear,apricot,mango,kiwi",
    "musical instruments": "accordion,clarinet,drum,flute,piano,trombone,trumpet,violin,cello,"
    "guitar,banjo,tuba",
    "animals": "bear,cat,chicken,cow,dog,donkey,duck,frog,goat,pig,rabbit,snail,snake,horse,"
    "camel,turtle",
    OBJECTS: "bed,car,chair,fridge,lamp,microwave,oven,stove,table,toaster,desk,carpet",
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
    OBJECTS: {"couch": "couches"},
}
PLURALS: dict[str, dict[str, str]] = {
    kind: {word: word + "s" for word in words.split(",")} | _OTHER_PLURALS.get(kind, {})
    for kind, words in _S_PLURALS.items()
}
_KIND_OF = {
    form: kind for kind, plurals in PLURALS.items() for pair in plurals.items() for form in pair
}
_QUESTION = re.compile(r"I have (?P<items>.+)\. How many (?P<kind>[a-z ]+) do I have\?")


def solve(question: str) -> Solution:
    """Add up; raises ValueError for another format, or a thing or kind that the lists lack."""
    match = _QUESTION.fullmatch(question)
    if match is None or match["kind"] not in PLURALS:
        raise ValueError(f"not an {_NAME} question: {question[:80]!r}")
    kind, total = match["kind"], 0
    texts = [str(StateStep(f"Asked: {kind}.", 0, "total 0"))]
    for n, item in enumerate(re.split(r", (?:and )?", match["items"]), 1):
        number, _, thing = item.partition(" ")
        if number not in _NUMBERS or thing not in _KIND_OF:
            raise ValueError(f"cannot tell what {item!r} is")
        counts = kind in (OBJECTS, _KIND_OF[thing])
        texts.append(item_step(n, item, _KIND_OF[thing], counts, total))
        total += _NUMBERS[number] * counts
    texts.append(f"Asked: {kind}, total {total}.")
    return Solution(_NAME, question, str(total), tuple(texts))


def item_step(n: int, item: str, kind: str, counts: bool, total: int) -> str:
    """The step that adds the ``n``-th item, of ``kind``, to ``total`` if it counts."""
    added = _NUMBERS[item.split(" ", 1)[0]] * counts
    verdict = "yes" if counts else "no"
    operation = f"Item {n}: {item} of {kind}, {verdict}, {total} + {added} = {total + added}."
    return str(StateStep(operation, n, f"total {total + added}"))


FAMILY = Family(_NAME, solve)
