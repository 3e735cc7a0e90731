"""Names of environment variables in a configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _variable(name: str) -> str:
    if not (name.isascii() and name.isidentifier() and name == name.upper()):
        raise ValueError(
            "must be the NAME of an environment variable in capitals, not the key itself; "
            "write SMALL_KEY here and export SMALL_KEY=... in the shell"
        )
    return name


Variable = Annotated[str, AfterValidator(_variable)]
