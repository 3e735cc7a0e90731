"""Errors of a configuration, in lines that say where and what to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

LONGEST_SHOWN = 24
"""Longer values are not repeated, because they may be API keys in the wrong line."""


@dataclass(frozen=True, slots=True)
class ConfigurationProblem:
    """One error.

    ``place`` is the file, variable or flag that sets the value, ``key`` its dotted path there
    (empty for the whole file, variable or flag).
    """

    place: str
    key: str
    what: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.place, self.key, self.what)))

    def to_json(self) -> dict[str, str]:
        return asdict(self)


class ConfigurationError(ValueError):
    """A configuration cannot be used; ``str()`` is the first problem and the number of others."""

    def __init__(self, problems: Sequence[ConfigurationProblem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        first, *others = self.problems
        if not others:
            return str(first)
        return f"{first} (and {len(others)} more: see trigreason config check)"


def shown(value: object) -> str:
    """A value for an error message, without anything that may be a secret."""
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST_SHOWN else "that (too long to repeat)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "a table" if isinstance(value, dict) else "a list"


def nearest(name: str, names: Collection[str]) -> str:
    """The end of an error about an unknown name: the probably meant one, or all names."""
    folded = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    if close:
        return f"did you mean {folded[close[0]]}?"
    if not names:
        return "there is none"
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
