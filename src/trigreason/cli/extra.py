"""Commands that need more packages than the library alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class NotInstalled(Exception):
    """Packages of an extra are missing."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around a command's imports from a part of the program that ``extra`` brings.

    They stand inside the command, so the command line starts fast and works without the extra.

    Raises:
        NotInstalled: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trigreason"):
            raise
        told = f"the {extra} is not installed; install it with pip install 'trigreason[{extra}]'"
        raise NotInstalled(told) from error
