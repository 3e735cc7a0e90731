"""Problems kept out of training: some to steer and measure it, some that ship with the package.

`python -m training.held_out FILE` writes the shipped ones as JSON lines.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from training.data import END, USER, Document
from training.families import FAMILIES
from training.published import digest, hashes
from training.recipes import FAMILIES as BUNDLED
from trigreason.bundled.families.chains import Solution

DEVELOPMENT = 200
SHIPPED = 20


@cache
def held_out(family: str) -> tuple[Solution, ...]:
    """DEVELOPMENT problems, then SHIPPED ones: all different, none published."""
    rng = random.Random(f"held out: {family}")
    known = set(hashes())
    solutions: list[Solution] = []
    while len(solutions) < DEVELOPMENT + SHIPPED:
        question = FAMILIES[family].generate(rng)
        if digest(question) not in known:
            known.add(digest(question))
            solutions.append(FAMILIES[family].solve(question))
    return tuple(solutions)


def development(family: str) -> tuple[Solution, ...]:
    return held_out(family)[:DEVELOPMENT]


def shipped(family: str) -> tuple[Solution, ...]:
    return held_out(family)[DEVELOPMENT:]


@cache
def held_out_hashes() -> frozenset[str]:
    return frozenset(digest(s.question) for family in BUNDLED for s in held_out(family))


def without_held_out(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents whose question is not held out."""
    for document in documents:
        question = document.text.removeprefix(USER).split(END, 1)[0]
        if digest(question) not in held_out_hashes():
            yield document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    with parser.parse_args().file.open("w", encoding="utf-8") as lines:
        for family in BUNDLED:
            for s in shipped(family):
                problem = {"family": s.family, "question": s.question, "target": s.target}
                lines.write(json.dumps(problem) + "\n")


if __name__ == "__main__":
    main()
