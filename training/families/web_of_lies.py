"""web_of_lies: random people and claims, and claims misread or miscompared."""

import random
import re

from trigreason.bundled.families.chains import StateStep, read_state
from trigreason.bundled.families.web_of_lies import VERDICT, claim_step

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
_TELLS = ("tells the truth", "lies")


def generate(rng: random.Random) -> str:
    """One known person and four claims, each about the person before."""
    people = rng.sample(_PEOPLE, _CLAIMS + 1)
    tells = [rng.choice(_TELLS) for _ in people]
    claims = [f"{people[i]} says {people[i - 1]} {tells[i]}." for i in range(1, len(people))]
    return f"Question: {people[0]} {tells[0]}. {' '.join(claims)} Does {people[-1]} tell the truth?"


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
            return claim_step(step.number, person, about, said, _opposite(really))
        case 1:
            return claim_step(step.number, person, about, _opposite(said), really)
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
    return f"{found[1]} {tells}, so {VERDICT[tells]}."


def _opposite(word: str) -> str:
    return "lies" if word == "truth" else "truth"
