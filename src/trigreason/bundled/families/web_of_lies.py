"""web_of_lies: a chain of people, each of whom says of the one before that they lie or do not."""

import re

from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "web_of_lies"
VERDICT = {"truth": "Yes", "lies": "No"}
_QUESTION = re.compile(
    r"Question: (\w+) (tells the truth|lies)\.((?: \w+ says \w+ (?:tells the truth|lies)\.)+)"
    r" Does (\w+) tell the truth\?"
)
_CLAIM = re.compile(r"(\w+) says (\w+) (tells the truth|lies)\.")


def solve(question: str) -> Solution:
    """Follow the claims; raises ValueError if one is about a person not mentioned before."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    known = {match[1]: _word(match[2])}
    texts = [str(StateStep(f"Asked: {match[4]}.", 0, f"{match[1]} {known[match[1]]}"))]
    for n, (person, about, tells) in enumerate(_CLAIM.findall(match[3]), 1):
        if about not in known:
            raise ValueError(f"nothing is known of {about}")
        said, really = _word(tells), known[about]
        known[person] = "truth" if said == really else "lies"
        texts.append(claim_step(n, person, about, said, really))
    if match[4] not in known:
        raise ValueError(f"nothing is known of {match[4]}")
    verdict = VERDICT[known[match[4]]]
    texts.append(f"Asked: {match[4]} {known[match[4]]}, so {verdict}.")
    return Solution(_NAME, question, verdict, tuple(texts))


def claim_step(n: int, person: str, about: str, said: str, really: str) -> str:
    """The step that compares what ``person`` said of ``about`` with what is known."""
    agree, result = ("same", "truth") if said == really else ("differ", "lies")
    operation = f"Claim {n}: {person} says {about} {said}, is {really}, {agree}."
    return str(StateStep(operation, n, f"{person} {result}"))


def _word(tells: str) -> str:
    return "lies" if tells == "lies" else "truth"


FAMILY = Family(_NAME, solve)
