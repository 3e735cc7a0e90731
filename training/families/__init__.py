"""The bundled families with what training needs beside a solver: new questions and wrong steps."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from training.families import (
    arithmetic,
    boolean,
    dyck,
    navigate,
    object_counting,
    tracking,
    web_of_lies,
)
from trigreason.bundled.families import FAMILIES as SOLVED
from trigreason.bundled.families.chains import Family as SolvedFamily

Generate = Callable[[random.Random], str]
Corrupt = Callable[[str, random.Random], str | None]


@dataclass(frozen=True, slots=True)
class Family(SolvedFamily):
    """A kind of problem that a program solves, writes and gets wrong.

    ``generate`` writes a question in the published format. ``corrupt`` turns the text of a right
    step into a plausible wrong one, or returns None where the step offers nothing to get wrong.
    """

    generate: Generate
    corrupt: Corrupt


_GENERATORS: dict[str, tuple[Generate, Corrupt]] = {
    "tracking_shuffled_objects_three_objects": (
        partial(tracking.generate, count=3),
        tracking.corrupt,
    ),
    "tracking_shuffled_objects_five_objects": (
        partial(tracking.generate, count=5),
        tracking.corrupt,
    ),
    "tracking_shuffled_objects_seven_objects": (
        partial(tracking.generate, count=7),
        tracking.corrupt,
    ),
    "boolean_expressions": (boolean.generate, boolean.corrupt),
    "web_of_lies": (web_of_lies.generate, web_of_lies.corrupt),
    "navigate": (navigate.generate, navigate.corrupt),
    "object_counting": (object_counting.generate, object_counting.corrupt),
    "dyck_languages": (dyck.generate, dyck.corrupt),
    "multistep_arithmetic_two": (arithmetic.generate, arithmetic.corrupt),
}

FAMILIES: dict[str, Family] = {
    name: Family(name, family.solve, *_GENERATORS[name]) for name, family in SOLVED.items()
}
