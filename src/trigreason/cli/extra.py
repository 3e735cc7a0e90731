"""Commands that need the packages of an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class NotInstalled(Exception):
    """Packages of an extra are missing."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """A context for a command's imports that need the packages of ``extra``.

    They are inside the command, so that the command line starts fast and works without the extra.

    Raises:
        NotInstalled: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trigreason"):
            raise
        advice = f"the {extra} is not installed; install it with pip install 'trigreason[{extra}]'"
        raise NotInstalled(advice) from error
