"""What several families' generators share."""

import random
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def listed(names: list[str]) -> str:
    """``a, b, and c``, with the comma that the published format puts before every ``and``."""
    return ", ".join(names[:-1]) + ", and " + names[-1]


def other(rng: random.Random, options: Iterable[T], not_this: T) -> T:
    """A random option that differs from ``not_this``; there must be one."""
    return rng.choice([option for option in options if option != not_this])
