"""Commands that need more packages than the library alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class NotInstalled(Exception):
    """Packages of an extra are missing."""


@contextmanager
def needs_gateway() -> Iterator[None]:
    """Around a command's imports from the gateway, which stand inside the command.

    So the command line starts fast and works without the extra.

    Raises:
        NotInstalled: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trigreason"):
            raise
        told = "the gateway is not installed; install it with pip install 'trigreason[gateway]'"
        raise NotInstalled(told) from error
