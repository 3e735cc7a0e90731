"""Wording that several families share."""


def listed(names: list[str]) -> str:
    """``a, b, and c``, with the comma that the published format puts before every ``and``."""
    return ", ".join(names[:-1]) + ", and " + names[-1]
