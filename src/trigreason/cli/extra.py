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
        advice = (
            f"the {extra} is not installed; in the project's folder, uv sync --extra {extra} or "
            f"pip install '.[{extra}]' installs it"
        )
        raise NotInstalled(advice) from error
