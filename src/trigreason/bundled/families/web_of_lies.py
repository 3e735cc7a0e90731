"""web_of_lies: a chain of people, each of whom says of the one before that they lie or do not."""

import random
import re

from trigreason.bundled.families.chains import Family, Solution, StateStep, chain, read_state

_NAME = "web_of_lies"
_CLAIMS = 4
_NAMES = """
Alejandro Alexis Amberly Andree Antwan Audrie Bernita Christie Conception Crista Dallas Delbert
Delfina Elanor Fidel Fletcher Gwenn Helene Inga Jamey Jaymie Jerry Jim Ka Kandi Kristian Leda
Lorine Maybelle Michael Michaela Millicent Millie Osvaldo Phoebe Rashida Raymond Ryan Sal
Shalonda Shaunda Shenna Sherrie Sima Tamika Teressa Vernell Vina Willian Yoland
Anton Birgit Carlos Dilys Edwin Farah Goran Hilde Isolde Marek Nadia Oskar Petra Rufus Signe
Tomas
"""
_PEOPLE = tuple(_NAMES.split())
_TELLS = {"truth": "tells the truth", "lies": "lies"}
_VERDICT = {"truth": "Yes", "lies": "No"}
_QUESTION = re.compile(
    r"Question: (\w+) (tells the truth|lies)\.((?: \w+ says \w+ (?:tells the truth|lies)\.)+)"
    r" Does (\w+) tell the truth\?"
)
_CLAIM = re.compile(r"(\w+) says (\w+) (tells the truth|lies)\.")


def generate(rng: random.Random) -> str:
    """One known person and four claims, each about the person before."""
    people = rng.sample(_PEOPLE, _CLAIMS + 1)
    tells = [rng.choice(list(_TELLS.values())) for _ in people]
    claims = [f"{people[i]} says {people[i - 1]} {tells[i]}." for i in range(1, len(people))]
    return f"Question: {people[0]} {tells[0]}. {' '.join(claims)} Does {people[-1]} tell the truth?"


def solve(question: str) -> Solution:
    """Follow the claims; raises ValueError where one is about somebody not yet known."""
    found = _QUESTION.fullmatch(question)
    if found is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    known = {found[1]: _word(found[2])}
    texts = [str(StateStep(f"Asked: {found[4]}.", 0, f"{found[1]} {known[found[1]]}"))]
    for n, (person, about, tells) in enumerate(_CLAIM.findall(found[3]), 1):
        if about not in known:
            raise ValueError(f"nothing is known of {about}")
        said, really = _word(tells), known[about]
        known[person] = "truth" if said == really else "lies"
        texts.append(_claim_step(n, person, about, said, really))
    if found[4] not in known:
        raise ValueError(f"nothing is known of {found[4]}")
    verdict = _VERDICT[known[found[4]]]
    texts.append(f"Asked: {found[4]} {known[found[4]]}, so {verdict}.")
    return chain(_NAME, question, verdict, texts)


def corrupt(text: str, rng: random.Random) -> str | None:
    """Same taken for different, or what is known or said of the person before mistaken."""
    step = read_state(text)
    if step is None:
        return _corrupt_verdict(text)
    if step.operation.startswith("Asked: "):
        person, tells = step.state.split()
        return str(StateStep(step.operation, 0, f"{person} {_opposite(tells)}"))
    found = re.fullmatch(r"Claim \d+: (\w+) says (\w+) (\w+), is (\w+), \w+\.", step.operation)
    if found is None:
        return None
    person, about, said, really = found.groups()
    match rng.randrange(3):
        case 0:
            return _claim_step(step.number, person, about, said, _opposite(really))
        case 1:
            return _claim_step(step.number, person, about, _opposite(said), really)
    right = ("same", "truth") if said == really else ("differ", "lies")
    wrong = ("differ", "lies") if said == really else ("same", "truth")
    return text.replace(f" {right[0]}.", f" {wrong[0]}.").replace(
        f": {person} {right[1]}.", f": {person} {wrong[1]}."
    )


def _corrupt_verdict(text: str) -> str | None:
    found = re.fullmatch(r"(Asked: \w+) (\w+), so \w+\.", text)
    if found is None:
        return None
    tells = _opposite(found[2])
    return f"{found[1]} {tells}, so {_VERDICT[tells]}."


def _claim_step(n: int, person: str, about: str, said: str, really: str) -> str:
    agree, result = ("same", "truth") if said == really else ("differ", "lies")
    operation = f"Claim {n}: {person} says {about} {said}, is {really}, {agree}."
    return str(StateStep(operation, n, f"{person} {result}"))


def _word(tells: str) -> str:
    return "lies" if tells == "lies" else "truth"


def _opposite(word: str) -> str:
    return "lies" if word == "truth" else "truth"


FAMILY = Family(_NAME, generate, solve, corrupt)
